import { describe, expect, it } from 'vitest'
import { createDetector, detect } from '../../../src/plugins/pii/detect.js'
import { OTHERS, TAKEN } from './phone-counts.js'
import { NUMBERS, UNSEEN } from './phone-texts.js'

const detector = createDetector({ types: ['PHONE'] })
const phones = (text: string) => detector.detect(text).map(({ start, end }) => text.slice(start, end))

describe('a telephone number does not leak', () => {
  it.each(NUMBERS)('%j', (text, number) => {
    expect(phones(text)).toEqual([number])
  })
})

describe('what is counted, dated or measured stays', () => {
  it.each(OTHERS)('%j', text => {
    expect(phones(text)).toEqual([])
  })
})

describe('the limits are known: whoever moves one says so here', () => {
  it.each(UNSEEN)('%j is not found', text => {
    expect(phones(text)).toEqual([])
  })

  it.each(TAKEN)('%j is taken for one', text => {
    expect(phones(text)).not.toEqual([])
  })
})

describe('a cell between commas', () => {
  it('is found whole, whatever number the next cell holds', () => {
    expect(phones('id,phone,seats\n919,+44 20 7281 2327,89\n')).toEqual(['+44 20 7281 2327'])
    expect(phones('id,tel,seats\n7498,+31612703863,65\n')).toEqual(['+31612703863'])
  })

  it('is none where the comma is that of a fraction', () => {
    expect(phones('Phone bill: 48 372 615,50')).toEqual([])
  })
})

describe('the picture of a telephone is a label', () => {
  it.each(['☎', '☏', '📞', '📱', '☎️:'])('%s', sign => {
    expect(phones(`${sign} 583 726 194`)).toEqual(['583 726 194'])
  })
})

describe('nothing else is lost to it', () => {
  it('a number that was never a social security number is no telephone number either', () => {
    expect(detect('it says 078-05-1120 and 012-00-3456')).toEqual([])
  })

  it('a bracketed area before pairs, and dots where no address has them', () => {
    expect(phones('(532) 148 37 26')).toEqual(['(532) 148 37 26'])
    expect(phones('phone 532.148.37.26')).toEqual(['532.148.37.26'])
    expect(phones('release 120.148.37.26 of the phone')).toEqual([])
  })
})

describe('a label behind the number', () => {
  it.each([
    ['Halden Marine\n48 372 615 office\n', ['48 372 615']],
    ['Ines Wolf, 2617 4830-Mobile, 2617 4831-Fax', ['2617 4830', '2617 4831']],
    ['617 483 726 (home)', ['617 483 726']],
    ['92 418267 / work', ['92 418267']],
    ['26-17-48-30 (m)\n26-17-48-31 (f)', ['26-17-48-30', '26-17-48-31']],
    ['3720461958 fax', ['3720461958']],
    ['831.719.3994x1887-fax', ['831.719.3994x1887']],
    ['37 28 41 direct', ['37 28 41']],
    ['Call 37 28 41 and ask for Nuka.', ['37 28 41']],
    ['030 2738-416 Büro', ['030 2738-416']],
    ['612 847 395 (móvil)', ['612 847 395']],
    ['Dr Oduya | 617 483 726 voicemail | Suite 4', ['617 483 726']],
  ])('%j', (text, numbers) => {
    expect(phones(text)).toEqual(numbers)
  })

  it.each([
    'We shipped 48 372 615 office chairs.',
    'It has 250 000 000 mobile users',
    'revenue of 617 483 726 direct and indirect',
    '12 400 000 home owners',
    'build 20261126 direct download',
    'On 28 12 31 home again, 28 12 32 away',
    'lottery: 04 18 27 and 33 41 45',
    'The code is 48 37 26.',
    'rows 3720461958 work fine',
    'a total of 9 218 340 cells',
  ])('%j says what is counted', text => {
    expect(phones(text)).toEqual([])
  })
})
