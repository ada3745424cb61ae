export const level = (centimetres) => `${centimetres} cm at the weir`;
