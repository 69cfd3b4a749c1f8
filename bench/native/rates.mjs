/** Rates of work by processor time, and medians of them. */

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Units of work per microsecond over a slice of at least so many microseconds. */
export function rate(work, run, slice = 8000) {
  const start = cpu();
  let count = 0;
  do {
    run();
    count++;
  } while (cpu() - start < slice);
  return (work * count) / (cpu() - start);
}

const sorted = (list) => [...list].sort((a, b) => a - b);
export const median = (list) => sorted(list)[list.length >> 1];
export const decile = (list) => sorted(list)[Math.floor(list.length * 0.9)];
