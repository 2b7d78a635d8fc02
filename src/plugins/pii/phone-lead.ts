import { at, isDigit, isWord } from './chars.js'
import { PHONE_LABELS, words } from './context-words.js'

/** What stands before a number: nothing that tells, its label, a way to reach someone, such a way that needs no groups to be believed, or a cell's edge. */
export const NO_LEAD = 0
const LABEL = 1
export const WAY = 2
const SURE_WAY = 3
export const CELL = 4

const REACH_BEFORE = 80
const MOST_WORDS = 12
const REACH_AFTER = 16
/** The pictures of a telephone. */
const SIGN = /[☎☏✆📞📱📲]\ufe0f?:? ?$/u
const OPENS_CELL = /[,;\t]"?$|\| ?$/
const ENDS_CELL = /^[" ]?(?:[,;\t|\r\n]|$)/
const BEHIND = /^[ \u00a0]{0,2}\d|^ {1,2}(\p{L}+)/u
/** A label behind a number, as cards and signatures have it: nothing follows on its line that it would describe. */
const LABEL_BEHIND =
  /^[ \u00a0]?(?:[-–/] ?|\()?(?:office|fax|telefax|mobile|cell|home|work|direct|phone|tel|voice|pager|voicemail|landline|switchboard|whatsapp|reception|büro|mobil|handy|privat|dienstlich|zentrale|bureau|domicile|portable|oficina|móvil|casa|ufficio|cellulare|kantoor|thuis|mobiel|[cfhmopw](?=\)))\.?\)?(?=[ \t]*(?:$|[\r\n,;|/\\]))/i
const LABEL_REACH = 40
const MARKS = ' \t\u00a0\n:=.,-–"\'`*>#([_→'

/** May stand between a label and its number. */
const LINKS = words('number numbers has hat no nr num nummer numéro numero número numer numerem lautet è é to now new home work office private privat privé')
/** Makes a call of the number that it is followed by. */
const ORDERS = words('call called calling dial dialled dialed dialling dialing ring rang phone phoned phoning text texted texting appelez llame ligue chiamate bel')
const PERSONAL = words('my his her your our their mein meine meinen ihre unsere mon notre votre mi nuestro il mio meu nosso mijn onze mój min mitt vårt')
const ARTICLES = words('the this that le la el il lo o a het de den die der dem meiner unserer ihrer su')
/** Joins a number to what is done with it. */
const BY = words('at on via under over unter auf au sur al en allo su para op onder pod na på')
const TO = words('to from von fra från an a an till til do')

/** Speaks of reaching a person, in whatever form of the word. */
const REACHES =
  /^(?:answer|call|phon(?:e$|ing)|t[eé]l[eé](?:fon|phon)|contact|contat|kontak|dial|text|ring|rang$|reach|voicemail|sms|whatsapp|speak|pick|anruf|zurückruf|rufen|erreich|meld|r?appel|jo(?:indre|ign)|r[eé]pond|ll[aá]m|contest|atend|lig(?:ar|ue)|chiam|rispond|raggiung|bel(?:len|t)?$|bereik|za?dzwo|dzwo|odbier|svar|nå(?:s|r)?$|soit|localiz)/
/** Speaks of what reaches a number, and other places too. */
const SENDS = /^(?:messag|mensa[jg]|nachricht|bericht|meddel|besked|wiadomo|notif|remind|code|otp$|verif)/
/** Speaks of how many there are. */
const MEASURES =
  /^(?:rose|ris(?:e|ing)|f[ae]ll|climb|gr[eo]w|drop|increas|decreas|stood|stand|amount|c[ao]me|total|peak|went|equal|averag|count|limit|volume|estimat|valu|pric|worth|sold$|sales?$|cost|exceed|set$|clos(?:e|ing)|sal[ií]|st(?:ie|ei)g|sank|fiel|wuchs|pass[eé]|mont|baiss|subi|lleg|wzros|spad|ök|øk|anzahl|zahl|nombre|liczb|antal)/
const OF = words('of di')
const COPULAS = words('is are was were be been ist sind war est es sont son era är er')
/** May follow a number that counts nothing, as most words of three letters or fewer may. */
const FOLLOWS = words('when whenever after before between from during today tomorrow tonight please anytime until because with while since unless instead again oder wenn nach bitte après avant entre dopo dalle tussen eller efter hvis')

const isLink = (word: string): boolean => LINKS.has(word) || COPULAS.has(word) || ARTICLES.has(word) || PERSONAL.has(word)
const isLetter = (c: number): boolean => isWord(c) && !isDigit(c)
const isCapital = (c: number): boolean => c >= 65 && c <= 90

/** Reads words backwards from a place, within bounds. */
class Back {
  readonly #text: string
  readonly #limit: number
  #i: number
  /** Where the last word that was read ends. */
  end: number

  constructor(text: string, start: number) {
    this.#text = text
    this.#limit = Math.max(0, start - REACH_BEFORE)
    this.#i = this.end = start
  }

  /** The word before, in lower case; '' where something else stands there than `marks`, or where a line does before the second word. */
  word(marks: string): string {
    const text = this.#text
    let i = this.#i
    while (i > this.#limit && marks.includes(text.charAt(i - 1))) i--
    if (at(text, i - 1) === 41) i = this.#bracket(i - 1)
    this.end = i
    // The later part of `customerPhone` is a word of its own.
    while (i > this.#limit && isLetter(at(text, i - 1))) if (isCapital(at(text, --i)) && !isCapital(at(text, i - 1))) break
    this.#i = i
    return text.slice(i, this.end).toLowerCase()
  }

  /** What stands in brackets is passed over. */
  #bracket(end: number): number {
    for (let i = end - 1; i > this.#limit && i > end - 16; i--) if (at(this.#text, i) === 40) return at(this.#text, i - 1) === 32 ? i - 1 : i
    return end
  }
}

/** How the number at `start` is led in; bounded. */
export function leadOf(text: string, start: number): number {
  if (SIGN.test(text.slice(Math.max(0, start - 4), start))) return LABEL
  if (OPENS_CELL.test(text.slice(Math.max(0, start - 2), start))) return CELL
  const back = new Back(text, start)
  const first = back.word(MARKS)
  if (first === '') return NO_LEAD
  const near = back.end >= start - 2
  if (PHONE_LABELS.has(first) || (ORDERS.has(first) && near && at(text, back.end) === 32)) return LABEL
  if (isLink(first) && isLabelled(back, first)) return LABEL
  return near ? wayOf(new Back(text, start)) : NO_LEAD
}

/** Whether behind the links stands a label, or whose number it is. */
function isLabelled(back: Back, first: string): boolean {
  let number = first.startsWith('n')
  for (let k = 0; k < 4; k++) {
    const word = back.word(MARKS)
    if (PHONE_LABELS.has(word) || (number && PERSONAL.has(word))) return true
    if (!isLink(word)) return false
    number ||= word.startsWith('n')
  }
  return false
}

/** `at`, `on my`, `at his new`: and before it something that reaches a person, with nothing between that is measured. */
function wayOf(back: Back): number {
  let word = ''
  let determined = true
  let sure = true
  let k = 0
  for (; k < 4; k++) {
    word = back.word(' :')
    if (word === '') return NO_LEAD
    sure = BY.has(word)
    if (determined && (sure || TO.has(word))) break
    determined = isLink(word)
  }
  return k === 4 ? NO_LEAD : reachBefore(back, sure)
}

function reachBefore(back: Back, sure: boolean): number {
  const marks = ' ,.\'’-"'
  for (let k = 0; k < MOST_WORDS; k++) {
    const word = back.word(marks)
    if (word === '' || (k === 0 && COPULAS.has(word)) || MEASURES.test(word)) return NO_LEAD
    const reaches = REACHES.test(word)
    // A number of calls is a number.
    if (reaches || SENDS.test(word)) return OF.has(back.word(marks)) ? NO_LEAD : reaches && sure ? SURE_WAY : WAY
  }
  return NO_LEAD
}

/** Whether a label stands behind the number that ends at `end`. */
export const isLabelledBehind = (text: string, end: number): boolean => LABEL_BEHIND.test(text.slice(end, end + LABEL_REACH))

/** Whether a number follows, or, where the shape says little, a word that may be what is counted: one that opens no new part of the sentence. */
export function isCounted(text: string, end: number, lead: number, weak: boolean): boolean {
  const found = BEHIND.exec(text.slice(end, end + REACH_AFTER))
  if (found === null) return false
  const [, word] = found
  if (word === undefined) return true
  if (!weak || (lead === LABEL && isCapital(at(word, 0)))) return false
  return word.length < 4 ? word !== word.toLowerCase() : !FOLLOWS.has(word) && !PHONE_LABELS.has(word)
}

/** Whether a cell of a table ends here, where one begins before the number. */
export const endsCell = (text: string, end: number): boolean => ENDS_CELL.test(text.slice(end, end + 2))
