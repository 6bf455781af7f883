// The services that the page asks, by gRPC-web on the address that it came from.
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AgentService } from "../gen/pegcount/v1/agents_pb";
import { ContactService } from "../gen/pegcount/v1/contacts_pb";
import { DefinitionService } from "../gen/pegcount/v1/definitions_pb";
import { KpiService } from "../gen/pegcount/v1/kpi_pb";
import { TicketService } from "../gen/pegcount/v1/tickets_pb";
import { WallboardService } from "../gen/pegcount/v1/wallboard_pb";
import { token } from "../frame/session";
import { asKnown } from "./known";

const bearer: Interceptor = (next) => (request) => {
  const known = token();
  if (known) request.header.set("authorization", `Bearer ${known}`);
  return next(request);
};

const transport = createGrpcWebTransport({ baseUrl: location.origin, interceptors: [asKnown, bearer] });

export const wallboard = createClient(WallboardService, transport);
export const kpis = createClient(KpiService, transport);
export const definitions = createClient(DefinitionService, transport);
/** The same, and never about the past: for what is said beside it of now. */
export const kpisNow = createClient(KpiService, createGrpcWebTransport({ baseUrl: location.origin, interceptors: [bearer] }));
export const agents = createClient(AgentService, transport);
export const contacts = createClient(ContactService, transport);
export const tickets = createClient(TicketService, transport);

/** What is wrong, in the server's words. */
export const words = (error: unknown): string => ConnectError.from(error).rawMessage;

/** Whether the token is not, or no longer, good. */
export const isTokenRefused = (error: unknown): boolean => ConnectError.from(error).code === Code.Unauthenticated;

/** Whether asking again would give the same refusal. */
export function isForGood(error: unknown): boolean {
  const code = ConnectError.from(error).code;
  return [Code.InvalidArgument, Code.PermissionDenied, Code.NotFound, Code.OutOfRange, Code.FailedPrecondition, Code.Unimplemented].includes(code);
}
