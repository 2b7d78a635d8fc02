import { describe, expect, it } from 'vitest'
import { detect } from '../../../src/plugins/pii/detect.js'
import { ACTIONS, opens, WORD } from '../../../src/plugins/pii/scan-table.js'
import { TOKENS } from '../../../src/plugins/pii/secrets-data.js'

const found = (text: string) => detect(text).map(({ type, start, end }) => `${type} ${text.slice(start, end)}`)

describe('the table of the scan', () => {
  it.each(TOKENS.map(({ prefix }) => prefix).filter(prefix => /^[A-Za-z]/.test(prefix)))('passes over no token that begins with %s', prefix => {
    for (const third of prefix.length > 2 ? [prefix.charCodeAt(2)] : [48, 97, 70, 45]) {
      expect(ACTIONS[(prefix.charCodeAt(0) << 7) | prefix.charCodeAt(1)]).toBe(WORD)
      expect(opens(prefix.charCodeAt(0), prefix.charCodeAt(1), third)).toBe(true)
    }
  })

  it('reads an account number behind an escaped line end, a letter of another alphabet and a sign as the beginning of a word or not', () => {
    const account = 'DE89370400440532013000'
    for (const before of ['', ' ', '(', '\\n', '\\t', '\\\\n', '"', '中', '×', '_']) expect(found(`${before}${account}`)).toContain(`IBAN ${account}`)
    for (const before of ['x', 'n', '1', 'é', 'ж', '\\x']) expect(found(`${before}${account}`)).not.toContain(`IBAN ${account}`)
  })

  it('goes on behind a value as if nothing had been skipped', () => {
    expect(found('DE89370400440532013000 8.8.4.4')).toEqual(['IBAN DE89370400440532013000', 'IP 8.8.4.4'])
    expect(found('(212) 555-0123,ada@lovelace.dev')).toEqual(['PHONE (212) 555-0123', 'EMAIL ada@lovelace.dev'])
  })
})

describe('what is folded', () => {
  it('is seen at the very end of a text, and where the suspects before it are none', () => {
    for (const noise of ['', '100 % & more \\ ', 'ünïcödé 中文 ', '&; &&&; %zz \\q '.repeat(20)]) {
      expect(found(`${noise}call 212\u00ad-555-0123`)).toHaveLength(1)
      expect(found(`${noise}ada%40lovelace.dev`)).toContain('EMAIL ada%40lovelace.dev')
      expect(found(`${noise}ada\\u0040lovelace.dev`)).toHaveLength(1)
      expect(found(`${noise}ada&commat;lovelace.dev`)).toHaveLength(1)
    }
  })

  it('finds base64 wherever the run begins', () => {
    const encoded = Buffer.from('please write to ada@lovelace.dev').toString('base64')
    for (let before = 0; before < 70; before++) expect(found(`${'a '.repeat(before >> 1)}${'.'.repeat(before & 1)}${encoded}`).filter(value => value.startsWith('EMAIL'))).toHaveLength(1)
  })
})

describe('words near a number', () => {
  it.each(['phone', 'PHONE', 'phoneNumber is', 'téléphone', 'numéro téléphone', 'Telefon Nummer', '電話'])('%s counts whatever its ending', word => {
    const [finding] = detect(`${word} 212 555 0123`, { thresholds: { PHONE: 0.1 } })
    expect(finding?.reason).toBe('shape+context')
  })
})
