export const advice = (qr) => `scan ${qr}`;
