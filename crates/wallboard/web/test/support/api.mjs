// The server's services as any client would call them, from the contract itself: for what neither page nor command line does.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

const PROTO = join(import.meta.dirname, "../../../../../proto");

/** A client of a service (`IngestService`). */
export function service(centre, name) {
  const image = execFileSync("buf", ["build", PROTO, "--as-file-descriptor-set", "-o", "-"], { maxBuffer: 1 << 24 });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  const bearer = (next) => (request) => {
    request.header.set("authorization", `Bearer ${centre.token}`);
    return next(request);
  };
  return createClient(registry.getService(`pegcount.v1.${name}`), createGrpcWebTransport({ baseUrl: centre.url, interceptors: [bearer] }));
}
