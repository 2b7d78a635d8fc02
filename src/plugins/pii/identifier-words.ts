import { words } from './context-words.js'

/** Short words that count or join: where no check digit says otherwise, such a word beside a number is no part of an identifier. */
const WORDS = words('a i x and or to in of by at on for the is as am an it no be was are has had per via vs than from with page der die das und um im bis von zu so ist mal des les le la de du en et el los las y o e un una del da do ve ile bu bir och av til med van het')
/** Units, which follow a number. */
const UNITS = words('mm cm km m kg g mg ml l gb mb kb tb k b hz khz mhz ghz ms s h d c kw kwh px pt pm usd eur gbp st nd rd th min max sec')
const TWO_SMALL = /[a-z] [a-z]/

/** Whether it is such a word and cannot be the country of a number with check digits. */
export const isWord = (word: string): boolean => WORDS.has(word) && word !== 'de' && word !== 'it'

/** What the small letters that stand apart are, if there are any. */
export type Small = 'none' | 'letters' | 'words' | 'mixed'

export function smallOf(written: string): Small {
  const tokens = written.split(/[ +./-]/)
  if (!tokens.some(token => token !== '' && !/[^a-z]/.test(token))) return 'none'
  if (written !== written.toLowerCase()) return 'mixed'
  // Two words in a row are prose.
  if (TWO_SMALL.test(written)) return 'words'
  const apart = written.split(' ')
  const last = /[a-z]*$/.exec(written)?.[0] ?? ''
  return UNITS.has(last) || apart.some((part, index) => WORDS.has(part) || (index > 0 && UNITS.has(part))) ? 'words' : 'letters'
}
