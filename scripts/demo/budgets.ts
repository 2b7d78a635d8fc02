import { GatewayError, type ChatResult } from 'sallyport'
import { clean, isWhole, quiet, same, type Claim } from './check.js'
import { dollars } from './report.js'
import type { Playing, Scene } from './scenes.js'
import { CHEAP, FIRST } from './stage.js'

const LEGS = 'How many legs has a spider?'
/** What makes the worst case of a call: about a seventh of a cent, of which a tenth is used. */
const MAX_OUTPUT_TOKENS = 100
const ROOM_FOR_TWO_USD = 0.0035
const DOWNGRADE = { usd: 0.002, at: 0.75 } as const
const A_MINUTE = 2
const MINUTE_MS = 60_000

/** An answer, or how a call was refused. */
type End = ChatResult | GatewayError

/** Asks for a team, or with a key; says in a line what came of it. */
async function ask({ gateway, page, signal }: Playing, name: string, key?: string): Promise<End> {
  const asking = gateway.as(key === undefined ? { principal: { team: 'search' } } : { key })
  try {
    const result = await asking.chat({ model: 'smart', messages: LEGS }, { signal })
    const { downgraded, cost, deployment } = result
    const why = downgraded === undefined ? '' : `, sent there by the budget "${downgraded.policy}"`
    page.row(name, `${deployment} for ${dollars(cost.nanos)}${why}`, downgraded === undefined ? undefined : 'yellow')
    return result
  } catch (error) {
    if (!GatewayError.is(error) || error.code === 'aborted') throw error
    const wait = error.retryAfterMs === undefined ? '' : `; again in ${Math.ceil(error.retryAfterMs / 1000)} s`
    page.row(name, `${error.code}${error.policy === undefined ? '' : ` by "${error.policy}"`}${wait}`, 'yellow')
    return error
  }
}

function ended(end: End): string {
  return GatewayError.is(end) ? end.code : end.deployment
}

/** What was answered is whole, what was spent is what the answers cost, and only they were sent. */
async function books({ gateway, stage, page }: Playing, ends: readonly End[]): Promise<readonly Claim[]> {
  const answers = ends.filter((end): end is ChatResult => !GatewayError.is(end))
  const [spent] = await gateway.spend()
  await quiet(stage)
  page.row('spend()', `${dollars(spent?.nanos)} in ${spent?.attempts} attempts`)
  return [
    same('whole texts', answers.every(answer => isWhole(LEGS, answer)), true),
    same('requests', stage.asked().flat().length, answers.length),
    same('what was spent', spent?.nanos, answers.reduce((sum, { cost }) => sum + (cost.nanos ?? Number.NaN), 0)),
    ...clean(stage, gateway.health().calls),
  ]
}

async function refuses(playing: Playing): Promise<readonly Claim[]> {
  const ends = await Promise.all(['call 1', 'call 2', 'call 3'].map(name => ask(playing, name)))
  const refused = ends.filter(end => GatewayError.is(end))
  return [
    same('how the calls ended', ends.map(ended).sort().join(', '), ['budget_exceeded', FIRST.id, FIRST.id].join(', ')),
    same('who refused', refused[0]?.policy, 'search'),
    ...(await books(playing, ends)),
  ]
}

async function downgrades(playing: Playing): Promise<readonly Claim[]> {
  const ends: End[] = []
  for (const name of ['call 1', 'call 2']) {
    ends.push(await ask(playing, name))
    await playing.gateway.flush()
  }
  const last = ends[1]
  return [
    same('who answered', ends.map(ended).join(', '), [FIRST.id, CHEAP.id].join(', ')),
    same('what the result says', last === undefined || GatewayError.is(last) ? undefined : `${last.downgraded?.from} to ${last.downgraded?.to}`, 'smart to cheap'),
    ...(await books(playing, ends)),
  ]
}

async function keys(playing: Playing): Promise<readonly Claim[]> {
  const { gateway, page } = playing
  const { id, secret, prefix } = await gateway.keys.create({ team: 'search', models: ['smart'], limits: { name: 'a minute', requestsPerMinute: A_MINUTE } })
  page.row('made', `${prefix}-... for the team "search"`)
  const ends: End[] = []
  for (const name of ['call 1', 'call 2', 'call 3']) ends.push(await ask(playing, name, secret))
  await gateway.keys.revoke(id)
  page.row('revoked', prefix)
  ends.push(await ask(playing, 'call 4', secret))
  const limited = ends[2]
  const waitMs = GatewayError.is(limited) ? (limited.retryAfterMs ?? Infinity) : Infinity
  return [
    same('how the calls ended', ends.map(ended).join(', '), [FIRST.id, FIRST.id, 'limit_exceeded', 'unauthenticated'].join(', ')),
    { what: 'the limit says when there is room', ok: waitMs > 0 && waitMs <= MINUTE_MS, found: `${waitMs} ms` },
    same('who paid', (await gateway.spend({ by: 'key' })).map(({ of }) => of).join(', '), id),
    ...(await books(playing, ends)),
  ]
}

/** Scenes of money, limits and keys. */
export const BUDGETS: readonly Scene[] = [
  {
    title: 'A budget for two: of three calls at once one is refused',
    about: 'What a call can cost at most is held before it is sent, so that calls at once cannot pass a budget together.',
    call: `budgets: [{ name: 'search', of: { team: 'search' }, usd: ${ROOM_FOR_TWO_USD}, window: 'total' }]`,
    question: LEGS,
    faults: [],
    settings: { maxOutputTokens: MAX_OUTPUT_TOKENS, budgets: [{ name: 'search', of: { team: 'search' }, usd: ROOM_FOR_TWO_USD, window: 'total' }] },
    summary: 'two answered, one refused and not sent; the books agree to the nano-dollar',
    play: refuses,
  },
  {
    title: 'A budget runs low: calls go to a cheaper model',
    about: `From ${DOWNGRADE.at * 100} % of the budget on the route "cheap" answers, and the result says so.`,
    call: `budgets: [{ ..., usd: ${DOWNGRADE.usd}, window: 'total', downgrade: { to: 'cheap', at: ${DOWNGRADE.at} } }]`,
    question: LEGS,
    faults: [],
    settings: { maxOutputTokens: MAX_OUTPUT_TOKENS, budgets: [{ name: 'search', of: { team: 'search' }, usd: DOWNGRADE.usd, window: 'total', downgrade: { to: 'cheap', at: DOWNGRADE.at } }] },
    summary: 'the first call as asked, the second by the cheaper model; none refused',
    play: downgrades,
  },
  {
    title: 'A virtual key: a limit of its own, and an end',
    about: 'The team gets a key of yours; the providers never see it. It may ask twice a minute. Then it is revoked.',
    call: `gateway.keys.create({ team: 'search', models: ['smart'], limits: { requestsPerMinute: ${A_MINUTE} } })`,
    question: LEGS,
    faults: [],
    settings: { maxOutputTokens: MAX_OUTPUT_TOKENS },
    summary: 'two answered, the third limited, none after the end',
    play: keys,
  },
]
