import { NOTHING, allSame, byTable, digit, luhn, noRemainder, number, verhoeff, weighted, yymmdd, type Check } from './checks.js'
import { row, type NationalRow } from './row.js'

/** What is missing to the next eleven; 10 and 11 give 0. */
const missing = (sum: number): number => {
  const left = 11 - (sum % 11)
  return left > 9 ? 0 : left
}

/** Receita Federal: weights 10 to 2, then 11 to 2 with the first check digit. */
const cpf: Check = s => missing(weighted(s, [10, 9, 8, 7, 6, 5, 4, 3, 2])) === digit(s, 9) && missing(weighted(s, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) === digit(s, 10)

const CNPJ_WEIGHTS = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]

/** Receita Federal, IN 2229/2024: each character counts its code less 48, so that letters fit in. */
const cnpj: Check = s => {
  let first = 0
  let second = 0
  for (let i = 0; i < 12; i++) {
    first += digit(s, i) * (CNPJ_WEIGHTS[i + 1] as number)
    second += digit(s, i) * (CNPJ_WEIGHTS[i] as number)
  }
  return missing(first) === digit(s, 12) && missing(second + digit(s, 12) * 2) === digit(s, 13)
}

/** Registro Civil: weights 2 to 7 from the right, over and over; 10 is written K. */
const rut: Check = s => {
  let sum = 0
  for (let i = s.length - 2, weight = 2; i >= 0; i--, weight = weight === 7 ? 2 : weight + 1) sum += digit(s, i) * weight
  const left = 11 - (sum % 11)
  return s.charCodeAt(s.length - 1) === (left === 10 ? 75 : 48 + (left % 11))
}

const NIT_WEIGHTS = [41, 37, 29, 23, 19, 17, 13, 7, 3]

/** Registro Civil: provinces 01 to 24 and 30 for who lives abroad; the third digit up to 6 for people. */
const cedulaPlace: Check = s => ((number(s, 0, 2) >= 1 && number(s, 0, 2) <= 24) || number(s, 0, 2) === 30) && digit(s, 2) < 7

/** ABR: the first digit less one, modulus 89. */
const abn: Check = s => (weighted(s, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0

/** IRD: a second round of weights where the first leaves 10. */
const ird: Check = s => {
  const from = s.length - 9
  const sum = (weights: readonly number[]): number => {
    let total = 0
    for (let i = 0; i < 8; i++) if (from + i >= 0) total += digit(s, from + i) * (weights[i] as number)
    return (11 - (total % 11)) % 11
  }
  const first = sum([3, 2, 7, 6, 5, 4, 3, 2])
  const told = first < 10 ? first : sum([7, 4, 3, 2, 5, 2, 7, 6])
  return told === digit(s, s.length - 1)
}

const SOUTH_AMERICA: readonly NationalRow[] = [
  row('BR_CPF', 'BR', {
    shape: 'd{11}',
    groups: ['3 3 3 2', '9 2'],
    mixed: true,
    also: s => !allSame(s),
    check: cpf,
    share: 0.0145,
    base: 0.15,
    context: ['cpf', 'cadastro de pessoas físicas', 'cpf/mf'],
  }),
  row('BR_CNPJ', 'BR', {
    shape: 'x{8}x{4}d{2}',
    groups: ['2 3 3 4 2', '8 4 2', '8 6'],
    mixed: true,
    also: s => digit(s, 0) < 10 && !allSame(s),
    check: cnpj,
    share: 0.0145,
    base: 0.15,
    context: ['cnpj', 'cadastro nacional da pessoa jurídica', 'cnpj/mf'],
  }),
  row('AR_CUIT', 'AR', {
    shape: ['2[03-7]d{9}', '3[034]d{9}', '5[015]d{9}'],
    groups: ['2 8 1'],
    // AFIP: weights 5 4 3 2 7 6 5 4 3 2, what is missing to the next eleven, 9 for 10.
    check: byTable([5, 4, 3, 2, 7, 6, 5, 4, 3, 2], '09987654321'),
    share: 0.0146,
    base: 0.15,
    context: ['cuit', 'cuil', 'clave única de identificación', 'identificación tributaria'],
  }),
  row('CL_RUT', 'CL', {
    shape: ['[1-9]d{6}[0-9K]', 'd{8}[0-9K]'],
    groups: ['1 3 3 1', '2 3 3 1', '7 1', '8 1'],
    mixed: true,
    check: rut,
    share: 0.1,
    base: 0.15,
    context: ['rut', 'run', 'rol único tributario', 'rol único nacional', 'cédula'],
  }),
  row('CO_NIT', 'CO', {
    shape: '[1-9]d{9}',
    groups: ['3 3 3 1', '9 1'],
    mixed: true,
    // DIAN: prime weights, what is missing to the next eleven, 0 and 1 as they are.
    check: byTable(NIT_WEIGHTS, '01987654321'),
    share: 0.09,
    base: 0.15,
    context: ['nit', 'identificación tributaria', 'cédula'],
  }),
  row('EC_CEDULA', 'EC', {
    shape: 'd{10}',
    groups: ['9 1'],
    also: cedulaPlace,
    check: s => luhn(s),
    share: 0.0176,
    base: 0.15,
    context: ['cédula', 'cedula', 'cédula de identidad', 'ci', 'identidad'],
  }),
  row('PE_RUC', 'PE', {
    shape: ['1[0567]d{9}', '20d{9}'],
    // SUNAT: weights 5 4 3 2 7 6 5 4 3 2, what is missing to the next eleven, its last digit.
    check: byTable([5, 4, 3, 2, 7, 6, 5, 4, 3, 2], '10987654321'),
    share: 0.005,
    base: 0.15,
    context: ['ruc', 'registro único de contribuyentes'],
  }),
]

const AFRICA: readonly NationalRow[] = [
  row('ZA_ID_NUMBER', 'ZA', {
    shape: 'd{10}[0-2][89]d',
    groups: ['6 4 3', '6 4 2 1', '6 4 1 1 1'],
    also: s => yymmdd(s),
    // DHA: Luhn.
    check: s => luhn(s),
    share: 0.0003,
    base: 0.2,
    context: ['id number', 'identity number', 'id no', 'rsa id', 'south african id', 'identity document', 'identity'],
  }),
  row('NG_NIN', 'NG', {
    shape: 'd{11}',
    groups: ['4 3 4'],
    check: verhoeff,
    // NIMC does not publish the rule.
    failed: 'shape',
    share: 0.1,
    base: 0.15,
    context: ['nin', 'national identification number', 'national identity number', 'nimc'],
  }),
  row('NG_VEHICLE_REGISTRATION', 'NG', {
    shape: 'l{3}d{3}l{2}',
    groups: 'classes',
    base: 0.3,
    context: ['plate', 'plate number', 'number plate', 'vehicle', 'vehicle registration', 'registration number'],
  }),
]

const OCEANIA: readonly NationalRow[] = [
  row('AU_TFN', 'AU', {
    shape: 'd{9}',
    groups: ['3 3 3'],
    also: s => s !== NOTHING,
    // ATO: weights 1 4 3 7 5 8 6 9 10, modulus 11.
    check: noRemainder([1, 4, 3, 7, 5, 8, 6, 9, 10], 11),
    share: 1 / 11,
    base: 0.15,
    context: ['tfn', 'tax file number', 'tax file no'],
  }),
  row('AU_ABN', 'AU', {
    shape: '[1-9]d{10}',
    groups: ['2 3 3 3'],
    check: abn,
    share: 0.0113,
    base: 0.15,
    context: ['abn', 'australian business number', 'business number'],
  }),
  row('AU_ACN', 'AU', {
    shape: 'd{9}',
    groups: ['3 3 3'],
    also: s => s !== NOTHING,
    // ASIC: weights 8 to 1, what is missing to the next ten.
    check: noRemainder([8, 7, 6, 5, 4, 3, 2, 1, 1], 10),
    share: 0.1,
    base: 0.15,
    context: ['acn', 'australian company number', 'company number'],
  }),
  row('AU_MEDICARE', 'AU', {
    shape: ['[2-6]d{9}', '[2-6]d{10}'],
    groups: ['4 5 1', '4 5 1 1', '10 1'],
    mixed: true,
    // Services Australia: weights 1 3 7 9 over eight digits, remainder of ten is the ninth.
    check: byTable([1, 3, 7, 9, 1, 3, 7, 9], '0123456789'),
    share: 0.05,
    base: 0.15,
    context: ['medicare', 'medicare number', 'medicare card', 'medicare no'],
  }),
  row('NZ_IRD', 'NZ', {
    shape: ['[1-9]d{7}', '1[0-4]d{7}'],
    groups: ['2 3 3', '3 3 3'],
    check: ird,
    share: 0.09,
    base: 0.15,
    context: ['ird', 'ird number', 'inland revenue'],
  }),
]

export const SOUTH: readonly NationalRow[] = [...SOUTH_AMERICA, ...AFRICA, ...OCEANIA]
