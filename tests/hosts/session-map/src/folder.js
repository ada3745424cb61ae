export const folderOf = (id) => `data/bells-${id}`;
