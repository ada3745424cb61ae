const DEPARTURES = ['06:40', '09:10', '13:25', '18:05'];

/** The next ferry at or after `time` ("09:00"), or the first one of the next day. */
export function nextFerry(time: string): string {
  return DEPARTURES.find((departure) => departure >= time) ?? DEPARTURES[0];
}
