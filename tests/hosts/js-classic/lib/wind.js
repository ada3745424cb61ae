const words = ['calm', 'a light air', 'a light breeze', 'a gentle breeze', 'a moderate breeze', 'a fresh breeze', 'a strong breeze']

/** The name of a wind force on Beaufort's scale, as far as one sails in it. */
function windName(force) {
  return words[force] || 'more than we sail in'
}

module.exports = { windName }
