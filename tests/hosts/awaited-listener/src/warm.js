export const warm = async (degrees) => degrees > 2;
