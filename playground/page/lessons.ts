/** The lessons that are bundled with the page, in order. */
import type { Lesson } from "../core/lesson.js";

const files: Record<string, string> = import.meta.glob("../lessons/*/*", {
  query: "?raw",
  import: "default",
  eager: true,
});

const ids = [...new Set(Object.keys(files).map((path) => path.split("/").at(-2)!))].sort();

export const lessons: readonly Lesson[] = ids.map((id) => {
  const part = (name: string): string => files[`../lessons/${id}/${name}`] ?? "";
  return {
    id,
    text: part("lesson.md"),
    start: part("start.moe"),
    solution: part("solution.moe"),
    task: part("task.moe"),
  };
});
