/** Every family that `moec import` knows, the whole way: the table of docs/import.md. `npm run test:story`; a quarter of an hour. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/import/story.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    env: { STORY: "all" },
  },
});
