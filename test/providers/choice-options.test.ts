import { describe, expect, it } from 'vitest'
import { openai, weighted } from '../../src/index.js'

describe('what strategies and preferences choose by', () => {
  it('is kept with the deployment, frozen, and left out where it was not given', () => {
    const policy = ['no-training']
    const deployment = openai('m', { weight: 0, managed: true, region: 'eu', dataPolicy: policy })
    policy.push('later')
    expect(deployment).toMatchObject({ weight: 0, managed: true, region: 'eu', dataPolicy: ['no-training'] })
    expect(Object.isFrozen(deployment.dataPolicy)).toBe(true)
    expect(Object.keys(openai('m'))).not.toEqual(expect.arrayContaining(['weight']))
    expect(weighted(openai('m', { weight: 2 }), [openai('n'), 1]).targets).toHaveLength(2)
  })

  it.each<[string, object, RegExp]>([
    ['weight', { weight: -1 }, /weight must be a number, 0 or more/],
    ['weight', { weight: NaN }, /weight must be a number/],
    ['managed', { managed: 1 }, /managed must be true or false/],
    ['region', { region: ' ' }, /region must be a text/],
    ['dataPolicy', { dataPolicy: 'no-training' }, /dataPolicy must be a list of texts/],
    ['dataPolicy', { dataPolicies: [] }, /Did you mean "dataPolicy"/],
  ])('a wrong %s is refused', (_name, options, message) => {
    expect(() => openai('m', options)).toThrow(message)
  })
})
