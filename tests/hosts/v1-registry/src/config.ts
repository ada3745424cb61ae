import path from "path";

export const STORE_DIR = path.resolve(process.cwd(), "store");
export const PIGEON_TOKEN = process.env.PIGEON_TOKEN || "";
export const PIGEON_URL = process.env.PIGEON_URL || "https://pigeon.invalid";
