import { boundNanos, boundOf, outputBoundOf } from '../protocol/bound.js'
import { GatewayError } from '../protocol/errors.js'
import type { DowngradeOptions, Downgraded, OnStoreError, OnUnknownPrice } from '../protocol/policy.js'
import type { Clock } from '../protocol/ports.js'
import type { Excluded } from '../protocol/result.js'
import type { LiveCandidate } from '../resilience/live.js'
import type { Route } from '../routing/router.js'
import type { Ledger } from '../state/ledger.js'
import { Accounts, type Payer } from '../state/meters.js'
import type { Policy } from '../state/policies.js'
import type { Admitted, Call, Plan, Settings } from './call.js'
import { Purse, type Lack } from './purse.js'
import { settingsOf } from './settings.js'

/** What the stage is made of. */
export interface ReserveParts {
  readonly ledger: Ledger
  readonly clock: Clock
  readonly defer: (fn: () => void) => void
  /** Those of the gateway, as they are now. */
  readonly policies: () => readonly Policy[]
  readonly onUnknownPrice: OnUnknownPrice | undefined
  readonly onStoreError: OnStoreError | undefined
  readonly plan: (admitted: Admitted) => Plan | Promise<Plan>
  readonly resolve: (model: string) => Route<Settings>
}

/**
 * Claims requests, tokens and money for the first attempt of the plan, in one step. Where a budget has no room the plan of a cheaper route is
 * tried; a call that no policy is about is let through at once.
 */
export function createReserve(parts: ReserveParts): (plan: Plan) => Plan | Promise<Plan> {
  const open = purses(parts)
  return plan => {
    const purse = open(plan.admitted)
    return purse.bound ? reserved(parts, purse, plan) : withPurse(plan, purse)
  }
}

/** Claims the request of a call that is answered without asking anybody; gives what has to be closed at its end. */
export function createCount(parts: ReserveParts): (admitted: Admitted) => Promise<Purse> | undefined {
  const open = purses(parts)
  return admitted => {
    const purse = open(admitted)
    return purse.bound ? counting(purse) : undefined
  }
}

async function counting(purse: Purse): Promise<Purse> {
  const lack = await purse.count()
  if (lack !== undefined) throw purse.refusal(lack)
  return purse
}

const NOBODY = new Accounts([])

function purses({ ledger, clock, defer, policies, onUnknownPrice = 'refuse', onStoreError }: ReserveParts): (admitted: Admitted) => Purse {
  let accounts = NOBODY
  let known: readonly Policy[] | undefined
  return ({ call, route, settings: { downgrade } }) => {
    const now = policies()
    if (now !== known) {
      accounts = new Accounts(now)
      known = now
    }
    // A copy of a call that nobody pays for is no budget's business.
    const own = call.system !== undefined && call.options.principal === undefined ? NOBODY : accounts.with(call.keyPolicies)
    return new Purse({ ledger, clock, defer, call, account: own.of(payerOf(call, route.name)), onUnknownPrice, onStoreError, downgrade })
  }
}

function payerOf({ options: { principal } }: Call, route: string): Payer {
  if (principal === undefined) return { tags: NO_TAGS, route }
  const { team, project, user, key, tags = NO_TAGS } = principal
  return { team, project, user, key, tags, route }
}

const NO_TAGS: readonly string[] = []

/** Field by field: an object that is spread together is made the slow way. */
function withPurse({ admitted, candidates, excluded, shadows }: Plan, purse: Purse): Plan {
  return { admitted, candidates, excluded, shadows, purse }
}

/** Makes no promise where the store is in memory and the hold fits. */
function reserved(parts: ReserveParts, purse: Purse, plan: Plan): Plan | Promise<Plan> {
  const usable = counted(purse, plan)
  const asking = ensured(purse, usable)
  if (asking === undefined) return withPurse(usable, purse)
  return chosen(parts, purse, usable, asking).catch((error: unknown) => {
    // Nothing was asked: what is held is given back whole. The caller does not wait for it.
    void purse.close()
    throw error
  })
}

function ensured(purse: Purse, plan: Plan): Lack | undefined | Promise<Lack | undefined> {
  return purse.ensure(first(plan).live, plan.admitted.request, !inToolLoop(plan))
}

/** The first plan that fits. What one deployment or provider has no room for, the next candidates may. */
async function chosen(parts: ReserveParts, purse: Purse, plan: Plan, asking: Lack | Promise<Lack | undefined>): Promise<Plan> {
  let left = plan
  let lack = await asking
  let soonest: Lack | undefined
  for (;;) {
    const found = lack === undefined ? withPurse(left, purse) : await otherwise(parts, purse, left, lack)
    if (!isLack(found)) return found
    soonest = sooner(soonest, found)
    const rest = without(left, found)
    if (rest === undefined) {
      purse.exceeded(soonest)
      throw purse.refusal(soonest)
    }
    left = rest
    lack = await ensured(purse, left)
  }
}

/** Of what single deployments lack, what is there first; what all of them lack is the reason in any case. */
function sooner(known: Lack | undefined, found: Lack): Lack {
  return known === undefined || found.line.only.length === 0 || (found.retryAfterMs ?? Infinity) < (known.retryAfterMs ?? Infinity) ? found : known
}

function isLack(found: Plan | Lack): found is Lack {
  return 'line' in found
}

/** The candidates that the claim was not about; nothing where there are none to begin with. */
function without(plan: Plan, { line }: Lack): Plan | undefined {
  if (line.only.length === 0) return undefined
  const full = plan.candidates.filter(({ live: { deployment: { provider, id } } }) => line.isFor({ provider, deployment: id }))
  const candidates = plan.candidates.filter(candidate => !full.includes(candidate))
  if (!candidates.some(({ onlyAfter }) => onlyAfter === undefined)) return undefined
  return { ...plan, candidates, excluded: [...plan.excluded, ...full.map(({ live }) => ({ deployment: live.deployment.id, reason: `${line.policy.kind} "${line.policy.name}" is used up` }))] }
}

/** A cheaper plan in place of one that does not fit, or the same with all of the budget, with its hold; else what has no room. */
async function otherwise(parts: ReserveParts, purse: Purse, plan: Plan, lack: Lack): Promise<Plan | Lack> {
  const { request, settings } = plan.admitted
  const { policy } = lack.line
  const option = policy.kind === 'budget' && !inToolLoop(plan) ? (policy.downgrade ?? settings.downgrade) : undefined
  if (option === undefined) return lack
  const other = await cheaper(parts, purse, plan, option, lack)
  if (other !== undefined) return other
  if (option.at === undefined && policy.hard) return lack
  // Nobody cheaper can do it: then the rest of the budget is for this.
  return (await purse.ensure(first(plan).live, request)) ?? withPurse(plan, purse)
}

/** The plan of the cheaper way, with its hold; nothing where nobody on it can do what is asked, or it does not fit either. */
async function cheaper(parts: ReserveParts, purse: Purse, plan: Plan, option: DowngradeOptions, { line }: Lack): Promise<Plan | undefined> {
  const other = option.to === undefined ? cheapest(purse, plan) : await elsewhere(parts, plan, option.to)
  if (other === undefined) return undefined
  const planned = fitting(purse, other)
  if (planned === undefined) return undefined
  const { live } = first(planned)
  if ((await purse.ensure(live, planned.admitted.request)) !== undefined) return undefined
  const downgraded: Downgraded = { from: plan.admitted.route.name, to: option.to ?? live.deployment.id, policy: line.policy.name, reason: option.at === undefined ? 'hold' : 'share' }
  return { ...planned, purse, downgraded }
}

async function elsewhere({ plan, resolve }: ReserveParts, { admitted }: Plan, to: string): Promise<Plan | undefined> {
  try {
    const route = resolve(to)
    // The way down ends where it leads.
    if (route.target === admitted.route.target) return undefined
    const { cache: _cache, ...settings } = settingsOf(route.settings, admitted.call.options)
    return await plan({ ...admitted, route, settings })
  } catch (error) {
    if (GatewayError.is(error) && NOWHERE.has(error.code)) return undefined
    throw error
  }
}

/** Nobody there can do it; or a key of a shared store names a route that is not known here. */
const NOWHERE: ReadonlySet<string> = new Set(['no_candidates', 'model_not_found'])

/** The candidates that can cost less than the first, cheapest first. */
function cheapest(purse: Purse, plan: Plan): Plan | undefined {
  const { request } = plan.admitted
  const most = ({ live }: LiveCandidate): number => {
    const price = purse.price(live)
    return price === undefined ? Infinity : boundNanos(boundOf(request, live.deployment.capabilities), price)
  }
  const limit = most(first(plan))
  const candidates = plan.candidates.filter(candidate => most(candidate) < limit).sort((a, b) => most(a) - most(b)).map(({ onlyAfter: _, ...candidate }) => candidate)
  return candidates.length === 0 ? undefined : { ...plan, candidates }
}

/** The plan without those whose cost has no bound; throws where nobody is left. */
function counted(purse: Purse, plan: Plan): Plan {
  const kept = fitting(purse, plan)
  if (kept !== undefined) return kept
  const { admitted: { request }, candidates } = plan
  if (candidates.some(({ live }) => unbounded(purse, live, request) === ENDLESS)) {
    throw new GatewayError('invalid_request', 'A hard budget or a limit of tokens applies, and nothing says how long the answer may get. Set maxOutputTokens on the call or on the route.', { origin: 'caller' })
  }
  throw new GatewayError('no_candidates', 'A hard budget applies, and no deployment of the route has a known price. Give them a "price", add "prices", or set onUnknownPrice.', { origin: 'caller', excluded: candidates.map(({ live }) => ({ deployment: live.deployment.id, reason: PRICELESS })) })
}

const ENDLESS = 'no maxOutputTokens is known, and a hard budget or a limit of tokens applies'
const PRICELESS = 'no price is known, and a hard budget applies (onUnknownPrice)'

function fitting(purse: Purse, plan: Plan): Plan | undefined {
  const { candidates, admitted: { request } } = plan
  const excluded: Excluded[] = []
  const kept = candidates.filter(({ live }) => {
    const reason = unbounded(purse, live, request)
    if (reason !== undefined) excluded.push({ deployment: live.deployment.id, reason })
    return reason === undefined
  })
  if (!kept.some(({ onlyAfter }) => onlyAfter === undefined)) return undefined
  return excluded.length === 0 ? plan : { ...plan, candidates: kept, excluded: [...plan.excluded, ...excluded] }
}

function unbounded(purse: Purse, live: LiveCandidate['live'], request: Admitted['request']): string | undefined {
  if (purse.hard && purse.onUnknownPrice !== 'allow' && purse.price(live) === undefined) return PRICELESS
  return purse.counts && outputBoundOf(request, live.deployment.capabilities) === Infinity ? ENDLESS : undefined
}

function first({ candidates }: Plan): LiveCandidate {
  const found = candidates.find(({ onlyAfter }) => onlyAfter === undefined) ?? candidates[0]
  if (found === undefined) throw new GatewayError('no_candidates', 'The plan is empty.')
  return found
}

/** The model waits for the results of its tools: another one would not know why it asked. */
function inToolLoop({ admitted: { request } }: Plan): boolean {
  return request.messages.at(-1)?.role === 'tool'
}
