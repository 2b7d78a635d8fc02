/** Where the demo writes: `process.stdout`, or what a test collects. */
export interface Out {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan' | 'strike'

const CODES: Record<Style, string> = { bold: '1', dim: '2', green: '32', red: '31', yellow: '33', cyan: '36', strike: '2;9' }
const WIDEST = 100
const NARROWEST = 30
const INDENT = '   '
// A provider's text must not steer the terminal.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** Lines of at most `width` characters, broken at blanks; a longer word is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    let rest = word
    if (line !== '' && line.length + 1 + rest.length > width) {
      lines.push(line)
      line = ''
    }
    for (; rest.length > width; rest = rest.slice(width)) lines.push(rest.slice(0, width))
    line += (line === '' ? '' : ' ') + rest
  }
  return [...lines, line]
}

/** Lines for a person: wrapped to the terminal, coloured only where somebody sees it. */
export class Page {
  readonly #out: Out
  /** Colours and cursor movement are wanted and possible. */
  readonly #styled: boolean

  constructor(out: Out, env: Readonly<Record<string, string | undefined>>) {
    this.#out = out
    this.#styled = out.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  }

  /** Characters that fit beside the indent. */
  get width(): number {
    return Math.max(NARROWEST, Math.min((this.#out.columns ?? 80) - 1, WIDEST)) - INDENT.length
  }
  /** Lines that can be painted over; 0 where the cursor must not move. */
  get reach(): number {
    return this.#styled ? Math.max(0, (this.#out.rows ?? 24) - 2) : 0
  }

  style(text: string, style: Style | undefined): string {
    return this.#styled && style !== undefined && text !== '' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text
  }
  raw(text: string): void {
    this.#out.write(text)
  }
  blank(): void {
    this.raw('\n')
  }
  /** At the left margin. */
  heading(text: string, style: Style = 'bold'): void {
    for (const line of wrap(text, this.width + INDENT.length)) this.raw(`${this.style(line, style)}\n`)
  }
  paragraph(text: string, style?: Style): void {
    for (const line of wrap(text.replace(CONTROL, ''), this.width)) this.raw(`${INDENT}${this.style(line, style)}\n`)
  }
  /** A label and what belongs to it, which hangs under itself when it is long. */
  row(label: string, text: string, style?: Style): void {
    const lines = wrap(text.replace(CONTROL, ''), this.width - 13)
    lines.forEach((line, at) => this.raw(`${INDENT}${this.style((at === 0 ? label : '').padEnd(12), 'dim')} ${this.style(line, style)}\n`))
  }
  answer(): Writing {
    return new Writing(this)
  }
}

/** An answer being written: each word goes out as soon as it is known to be whole. */
export class Writing {
  readonly #page: Page
  /** Lines that are full, without the indent. */
  #above: string[] = []
  #line = ''
  #word = ''
  #gap = false

  constructor(page: Page) {
    this.#page = page
  }

  write(text: string): void {
    for (const piece of text.replace(CONTROL, '').match(/\n|[^\S\n]+|\S+/g) ?? []) {
      if (piece === '\n') {
        this.#flush()
        this.#break()
      } else if (piece.trim() === '') {
        this.#flush()
        this.#gap = true
      } else this.#word += piece
    }
  }

  /** A note of ours in the middle of the text. */
  mark(note: string): void {
    this.#flush()
    for (const word of note.split(' ')) {
      this.#gap = true
      this.#word = word
      this.#flush('yellow')
    }
    this.#gap = true
  }

  /** What was written is void: struck through where that is possible, and said below in any case. */
  discard(note: string): void {
    this.#flush()
    const lines = [...this.#above, this.#line]
    if (lines.length <= this.#page.reach) {
      const up = this.#above.length > 0 ? `\u001b[${this.#above.length}A` : ''
      this.#page.raw(`${up}\r${lines.map(line => `\u001b[2K${INDENT}${this.#page.style(line, 'strike')}`).join('\n')}`)
    }
    this.#above = []
    this.#line = ''
    this.#gap = false
    this.#page.blank()
    this.#page.paragraph(note, 'yellow')
  }

  end(): void {
    this.#flush()
    if (this.#line !== '') this.#page.blank()
  }

  #flush(style?: Style): void {
    const { width } = this.#page
    let word = this.#word
    if (word === '') return
    const gap = this.#gap && this.#line !== '' ? ' ' : ''
    if (this.#line !== '' && this.#line.length + gap.length + word.length > width) this.#break()
    else if (gap !== '') this.#put(gap)
    for (; word.length > width; word = word.slice(width)) {
      this.#put(word.slice(0, width), style)
      this.#break()
    }
    this.#put(word, style)
    this.#word = ''
    this.#gap = false
  }

  #put(text: string, style?: Style): void {
    if (this.#line === '') this.#page.raw(INDENT)
    this.#line += text
    this.#page.raw(this.#page.style(text, style))
  }

  #break(): void {
    this.#page.blank()
    this.#above.push(this.#line)
    this.#line = ''
    this.#gap = false
  }
}
