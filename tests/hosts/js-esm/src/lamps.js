/**
 * When the lamps go on: a rough sunset at 52° north, in minutes after noon.
 *
 * @param {Date} day
 * @returns {string} hours and minutes, local time
 */
export function lampsOn(day) {
  const start = Date.UTC(day.getUTCFullYear(), 0, 1);
  const number = Math.floor((day.getTime() - start) / 86_400_000);
  const minutes =
    375 - Math.round(130 * Math.cos((number / 365) * 2 * Math.PI));
  const hour = 12 + Math.floor(minutes / 60);
  return `${hour}:${String(minutes % 60).padStart(2, '0')}`;
}
