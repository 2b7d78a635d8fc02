import { byTable, number, type Check } from './checks.js'
import { row, type NationalRow } from './row.js'

/** AEAT: the letter by the number's remainder of 23. */
const CONTROL = 'TRWAGMYFPDXBNJZSQVHLCKE'

const citizen: Check = s => {
  const last = s.length - 1
  return s.charCodeAt(last) === CONTROL.charCodeAt(number(s, s.charCodeAt(0) > 57 ? 1 : 0, last) % 23)
}

/** A foreigner's leading X, Y or Z stands for 0, 1 or 2. */
const foreigner: Check = s => s.charCodeAt(s.length - 1) === CONTROL.charCodeAt(((s.charCodeAt(0) - 88) * 10 ** (s.length - 2) + number(s, 1, s.length - 1)) % 23)

export const IBERIA: readonly NationalRow[] = [
  row('ES_NIF', 'ES', {
    shape: ['d{8}l', '[KLM]d{7}l', 'd{7}l'],
    groups: ['8 1', '7 1', '2 3 3 1', '1 3 3 1'],
    mixed: true,
    check: citizen,
    share: 1 / 23,
    base: 0.2,
    context: ['nif', 'dni', 'documento nacional de identidad', 'identificación fiscal', 'número de identificación'],
  }),
  row('ES_NIE', 'ES', {
    shape: ['[XYZ]d{7}l', 'Xd{8}l'],
    groups: ['1 7 1', '8 1', '9 1', '1 8 1'],
    check: foreigner,
    share: 1 / 23,
    base: 0.3,
    context: ['nie', 'extranjero', 'número de identidad de extranjero', 'identificación de extranjero'],
  }),
  row('ES_PASSPORT', 'ES', {
    shape: 'l{3}d{6}',
    base: 0.2,
    context: ['pasaporte', 'número de pasaporte', 'passport', 'passport number'],
  }),
  row('PT_NIF', 'PT', {
    // People 1 to 3 and 45, companies and the state what else there is.
    shape: ['[1-3568]d{8}', '45d{7}', '7[0-24-57-9]d{7}', '9[0189]d{7}'],
    groups: ['3 3 3'],
    // AT: weights 9 to 2, modulus 11, a remainder of 0 or 1 gives 0.
    check: byTable([9, 8, 7, 6, 5, 4, 3, 2], '00987654321'),
    share: 0.14,
    base: 0.15,
    context: ['nif', 'nipc', 'contribuinte', 'número de contribuinte', 'identificação fiscal'],
  }),
]
