// One script, one style sheet, no inline code: so that the page's policy may forbid everything else.
import { defineConfig } from "vite";
import solid from "vite-plugin-solid";
import { licences } from "./scripts/licences.mjs";

export default defineConfig({
  plugins: [solid(), licences()],
  base: "/",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        entryFileNames: "assets/wallboard-[hash].js",
        chunkFileNames: "assets/part-[hash].js",
        assetFileNames: "assets/wallboard-[hash][extname]",
      },
    },
  },
});
