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
