/** Rates of work by processor time, and their upper decile. */

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

/** Nine of ten are at most so high. */
export const decile = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.9)];
