import path from 'path';

const STORE = path.resolve(process.env.CARILLON_STORE ?? 'store');

/** Where a tower keeps its link. */
export const folderOf = (tower: string) => path.join(STORE, tower);
