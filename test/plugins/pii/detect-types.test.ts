import { describe, expect, it } from 'vitest'
import { createDetector, detect } from '../../../src/plugins/pii/detect.js'
import type { DetectOptions } from '../../../src/plugins/pii/types.js'

const found = (text: string, options?: DetectOptions) => detect(text, options).map(({ type, start, end }) => `${type} ${text.slice(start, end)}`)
// Put together here, so that no scanner takes this file for a leak.
const token = (prefix: string, length: number) => prefix + 'q7Rk2ZpX9mVt4LwYc8NsB3hJd6GfTa1e'.repeat(4).slice(0, length)

describe('what would leak is found', () => {
  it.each([
    ['write to ada.l+x@lovelace.co.uk, please', 'EMAIL ada.l+x@lovelace.co.uk'],
    ['mailto:grace@navy.mil', 'EMAIL grace@navy.mil'],
    ['jürgen@müller.de', 'EMAIL jürgen@müller.de'],
    ['(ada@lovelace.dev)', 'EMAIL ada@lovelace.dev'],
    ['dial (212) 555-0123 today', 'PHONE (212) 555-0123'],
    ['212-555-0123', 'PHONE 212-555-0123'],
    ['+44 20 7946 0018.', 'PHONE +44 20 7946 0018'],
    ['+44 (0)20 7946 0018', 'PHONE +44 (0)20 7946 0018'],
    ['+4915123456789', 'PHONE +4915123456789'],
    ['01 42 68 53 00', 'PHONE 01 42 68 53 00'],
    ['my mobile is 2125550123', 'PHONE 2125550123'],
    ['phone_number: 5550123', 'PHONE 5550123'],
    ['{"customerPhone": "98765 43210"}', 'PHONE 98765 43210'],
    ['212-555-0123 ext. 42', 'PHONE 212-555-0123 ext. 42'],
    ['name,phone\nAda,5550123', 'PHONE 5550123'],
    ['4111 1111 1111 1111', 'CREDIT_CARD 4111 1111 1111 1111'],
    ['card 378282246310005', 'CREDIT_CARD 378282246310005'],
    ['1 4111-1111-1111-1111', 'CREDIT_CARD 4111-1111-1111-1111'],
    ['DE89 3704 0044 0532 0130 00 and', 'IBAN DE89 3704 0044 0532 0130 00'],
    ['GB82WEST12345698765432', 'IBAN GB82WEST12345698765432'],
    ['123-45-6789', 'US_SSN 123-45-6789'],
    ['SSN 123456780', 'US_SSN 123456780'],
    ['from 8.8.4.4 to', 'IP 8.8.4.4'],
    ['[2a00:1450:4001:81b::200e]:443', 'IP 2a00:1450:4001:81b::200e'],
    ['at 2a00:1450::1: refused', 'IP 2a00:1450::1'],
  ])('%s', (text, expected) => {
    expect(found(text)).toEqual([expected])
  })

  it.each([
    token('ghp_', 36),
    token('glpat-', 20),
    token('xoxb-', 40),
    token('npm_', 36),
    token('sk-proj-', 60),
    token('sk_live_', 24),
    `hf_${'qWkZrTbYxNvHdLpMsJgFcKaQeUiOtRwBzX'}`,
    `AKIA${'Q7RK2ZPX9MVT4LWY'}`,
    `${token('eyJhbGciOi', 20)}.${token('eyJzdWIiOi', 30)}.${token('', 43)}`,
  ])('a token without a telling word', secret => {
    expect(found(`use ${secret} here`)).toEqual([`SECRET ${secret}`])
  })

  it.each([
    ['password: hunter2', 'hunter2'],
    ['{"password":"Tr0ub4dor&3"}', 'Tr0ub4dor&3'],
    ['DB_PASSWORD=s3cr3t!pw9', 's3cr3t!pw9'],
    [`api_key = "${token('', 32)}"`, token('', 32)],
    [`Authorization: Bearer ${token('', 40)}`, token('', 40)],
    ['postgres://app:p4ssW0rd9@db.internal:5432/x', 'p4ssW0rd9'],
    [`<apiKey>${token('', 24)}</apiKey>`, token('', 24)],
  ])('a value whose key tells: %s', (text, secret) => {
    expect(found(text)).toEqual([`SECRET ${secret}`])
  })

  it('a private key is found whole, with real and with escaped line ends', () => {
    for (const end of ['\n', '\\n']) {
      const key = ['-----BEGIN RSA PRIVATE KEY-----', token('', 64), token('', 64), '-----END RSA PRIVATE KEY-----'].join(end)
      expect(found(`key: ${key} end`)).toEqual([`SECRET ${key}`])
    }
    const cut = `-----BEGIN PRIVATE KEY-----\n${token('', 64)}\n${token('', 64)}`
    expect(found(cut)).toEqual([`SECRET ${cut}`])
  })

  it('an address or number behind an escaped line end is not read as part of a word', () => {
    expect(found('one\\nada@lovelace.dev\\n212-555-0123')).toEqual(['EMAIL ada@lovelace.dev', 'PHONE 212-555-0123'])
  })
})

describe('what only looks like it stays', () => {
  it.each([
    'ada@example.com and bob@shop.test',
    'npm i pkg@1.2.3 icon@2x.png',
    'git@github.com:user/repo.git',
    '@param a@ @b',
    '2024-01-15 10:30:00, 15.01.2024, 1999-2004',
    'version 1.2.3.4, v10.20.30.40, Chrome/120.0.6099.109',
    '192.0.2.7, 10.0.0.1, 127.0.0.1, 2001:db8::1, fe80::1, ::1',
    'std::string a::b dead::beef 12:34:56',
    'order 4111111111111111',
    '4111 1111 1111 1112',
    '0.4111111111111111 and 550e8400-e29b-41d4-a716-446655440000',
    'DE89 3704 0044 0532 0130 01',
    'SSN 123456789, 078-05-1120, 219-09-9999, 987-65-4320, 111-11-1111, 111111111',
    '000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000',
    'it cost $2,125,550 or 2125550123 bytes',
    'ISBN 978-3-16-148410-0',
    'invoice number 5550123',
    'password: string, token = getToken(), secret: process.env.SECRET',
    'password=changeme api_key=YOUR_API_KEY token=<token> secret=${SECRET}',
    'token: 550e8400-e29b-41d4-a716-446655440000',
    'sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'secret path: /etc/ssl/private/a1b2c3',
    `ghp_${'x'.repeat(36)} AKIAIOSFODNN7EXAMPLE`,
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    'https://user:password@host/ http://host:8080/a@b',
    'aVeryLongCamelCaseIdentifierWith2Digits3Inside',
  ])('%s', text => {
    expect(found(text)).toEqual([])
  })
})

describe('types that are asked for', () => {
  it.each([
    ['URL', 'see https://a.dev/x?y=1.', 'https://a.dev/x?y=1'],
    ['PRIVATE_IP', 'at 192.168.1.7', '192.168.1.7'],
    ['MAC', 'aa:bb:cc:dd:ee:0f', 'aa:bb:cc:dd:ee:0f'],
    ['MAC', 'AA-BB-CC-DD-EE-0F', 'AA-BB-CC-DD-EE-0F'],
    ['CRYPTO_ADDRESS', '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'],
    ['DATE_OF_BIRTH', 'born on 12 May 1980', '12 May 1980'],
    ['ADDRESS', 'lives at 12 Long Acre Street, now', '12 Long Acre Street'],
    ['ADDRESS', 'in der Hauptstraße 5', 'Hauptstraße 5'],
    ['VIN', '1M8GDM9AXKP042788', '1M8GDM9AXKP042788'],
    ['PLATE', 'license plate ABC 1234', 'ABC 1234'],
    ['IMEI', 'IMEI 490154203237518', '490154203237518'],
    ['GPS', '(40.71280, -74.00600)', '40.71280, -74.00600'],
    ['CARD_DETAIL', 'cvv 123', '123'],
  ])('%s in "%s"', (type, text, expected) => {
    expect(found(text, { types: [type] })).toEqual([`${type} ${expected}`])
    expect(found(text)).not.toContain(`${type} ${expected}`)
  })

  it('a date is no birthday and a number no plate without a word that says so', () => {
    expect(found('on 12 May 1980, ABC 1234, 123', { types: ['DATE_OF_BIRTH', 'PLATE', 'CARD_DETAIL'] })).toEqual([])
  })

  it('known values are found whatever their case and spacing, but not inside words', () => {
    const options = { known: { PERSON: ['Ada Lovelace', 'Li', '山田太郎'], PROJECT: ['X-9/b'] } }
    expect(found('ADA\n lovelace met Li, x-9/B; Lions, adalovelace 私は山田太郎です', options).map(one => one.replace(/\s+/g, ' '))).toEqual(['PERSON ADA lovelace', 'PERSON Li', 'PROJECT x-9/B', 'PERSON 山田太郎'])
  })

  it('a recogniser of the user finds, is bounded and may refuse', () => {
    const recognisers = [{ type: 'EMPLOYEE', maxLength: 10, pattern: /EMP-\d+/, validate: (match: string) => !match.endsWith('0') }]
    expect(found('EMP-12 EMP-10', { recognisers })).toEqual(['EMPLOYEE EMP-12'])
    expect(() => detect('EMP-1', { recognisers: [{ type: 'EMPLOYEE', maxLength: 9, pattern: /EMP-\d/, validate: () => { throw new Error('no') } }] })).toThrow('no')
  })

  it('what is allowed is never found, and a threshold moves the line', () => {
    expect(found('a@b.dev c@d.dev', { allow: ['A@b.dev'] })).toEqual(['EMAIL c@d.dev'])
    expect(found('2125550123', { thresholds: { PHONE: 0.2 } })).toEqual(['PHONE 2125550123'])
  })

  it('a finding says why and never what', () => {
    const [one] = createDetector().detect('call 212-555-0123')
    expect(one).toEqual({ type: 'PHONE', start: 5, end: 17, score: 1, reason: 'shape+context' })
  })
})
