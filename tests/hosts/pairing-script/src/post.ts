/** Fetches one letter and says how long it is; 0 when there is none. */
export async function deliver(url: string): Promise<number> {
  const response = await fetch(url);
  if (response.status === 404) return 0;
  return (await response.text()).length;
}
