import { isSpace } from './shape.js'

/** Longest tag that is followed. */
const MOST_TAG = 4_096
const SLASH = 47
const EQUALS = 61
const QUOTES = new Set([34, 39])
const URL_ENDS = new Set(Array.from('<>"\'`', mark => mark.charCodeAt(0)))

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}

/**
 * Follows a text, character by character, and knows whether it is in a URL or in an image: whoever renders an answer may ask for what stands
 * there, and so hand a value on. Covers bare addresses, the targets of Markdown links and images, and quoted attributes of HTML.
 */
export class Places {
  #before = 0
  /** In what runs on without a space after `//` or `www.`. */
  #url = false
  #www = 0
  /** Between `](` and `)`. */
  #target = false
  /** Between `![` and `]`, and then in the target of that image. */
  #alt = false
  #image = false
  /** Characters of an open tag, and the quote of its open attribute. */
  #tag = 0
  #quote = 0

  get inUrl(): boolean {
    return this.#url || this.#target || this.#quote !== 0
  }
  get inImage(): boolean {
    return this.#alt || (this.#target && this.#image)
  }

  see(code: number): void {
    // Nothing begins or ends with most letters.
    if (this.#tag === 0 && code >= 97 && code <= 122 && code !== 119 && this.#before !== 60) {
      this.#www = 0
      this.#before = code
      return
    }
    if (isSpace(code)) this.#space(code)
    else {
      if (URL_ENDS.has(code)) this.#url = false
      else if (code === SLASH && this.#before === SLASH) this.#url = true
      this.#seeWww(code)
      this.#seeMarkdown(code)
    }
    this.#seeTag(code)
    this.#before = code
  }

  #space(code: number): void {
    this.#url = false
    this.#www = 0
    if (code === 10 || code === 13) this.#target = this.#alt = this.#image = false
  }

  #seeWww(code: number): void {
    if (code === 119 || code === 87) this.#www++
    else {
      if (code === 46 && this.#www === 3) this.#url = true
      this.#www = 0
    }
  }

  #seeMarkdown(code: number): void {
    if (code === 91 && this.#before === 33) this.#alt = true
    else if (code === 93) {
      this.#image = this.#alt
      this.#alt = false
    } else if (code === 40 && this.#before === 93) this.#target = true
    else if (code === 41 && this.#target) this.#target = this.#url = false
  }

  #seeTag(code: number): void {
    if (this.#before === 60 && isLetter(code)) {
      this.#tag = 1
      this.#quote = 0
    } else if (this.#tag === 0) return
    else if (++this.#tag > MOST_TAG) this.#tag = this.#quote = 0
    else if (this.#quote !== 0) {
      if (code === this.#quote) this.#quote = 0
    } else if (code === 62) this.#tag = 0
    else if (QUOTES.has(code) && this.#before === EQUALS) this.#quote = code
  }
}
