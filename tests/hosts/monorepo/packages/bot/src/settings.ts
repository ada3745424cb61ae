export const authFolder = process.env.FERRYBELL_AUTH ?? "data/auth"
export const maxDelay = 60_000
