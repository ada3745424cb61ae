export async function onUpdate({ connection }, again) {
  if (connection === 'close') setTimeout(again, 5000);
}
