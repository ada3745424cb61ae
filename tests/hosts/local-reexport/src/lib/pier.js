const pier = (number) => `pier ${number}`;

module.exports = { pier };
