/** Holds: a packed list of { parts, owner, tallies } each, and one sorted set of when they lapse. */
const SHARED = `
local holds = base .. 'holds'
local function holdOf(id) return base .. 'h:' .. id end

-- What a claim needs at this time: claims on one counter add up, and the lowest limit holds.
local function needsOf(claims)
  local needs, byId = {}, {}
  for _, claim in ipairs(claims) do
    local key, asked, window, periods = claim[1], claim[4], claim[5], claim[6]
    local id, period, ends = asked and asked .. ':' .. key or 'all:' .. key, false, false
    if periods then
      for i = #periods, 2, -1 do
        if now >= periods[i - 1] and now < periods[i] then
          period, ends = periods[i - 1], periods[i]
          break
        end
      end
      if not period then return nil, { 'apart', exact(now) } end
      id = 'p' .. int(period) .. ':' .. key
    end
    local same = byId[id]
    if not same then
      same = { part = { id, key, asked, window, period, ends, claim[2], entered, claim[7] }, limit = claim[3] }
      byId[id] = same
      needs[#needs + 1] = same
    else
      if claim[2] > MOST - same.part[7] then return nil, { 'passed', key } end
      same.part[7] = same.part[7] + claim[2]
      same.limit = math.min(same.limit, claim[3])
      same.part[9] = same.part[9] and claim[7]
    end
  end
  return needs
end

-- Clears away holds that nobody renewed, at most a hundred.
local function lapse(told, keep)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', holds, '-inf', exact(now), 'LIMIT', 0, 100)) do
    local kept = redis.call('GET', holdOf(id))
    redis.call('ZREM', holds, id)
    if kept then
      redis.call('UNLINK', holdOf(id))
      local hold = cmsgpack.unpack(kept)
      for _, part in ipairs(hold[1]) do give(part, part[9] and 0 or part[7]) end
      tallied(cjson.decode(hold[3]), keep)
      told[#told + 1] = id
      told[#told + 1] = hold[2]
    end
  end
end
`

/** KEYS: version, holds, the hold, counters. ARGV: now, hold, claims, ttl, owner, tallies, keep. */
const ACQUIRE = `
local id, owner, ttl, keep = ARGV[2], ARGV[5], tonumber(ARGV[4]), tonumber(ARGV[7])
local needs, wrong = needsOf(cjson.decode(ARGV[3]))
if not needs then return wrong end
local answer = { 'ok', '', '' }
lapse(answer, keep)
-- A client sends again what it got no answer to: this is the same hold.
if redis.call('ZSCORE', holds, id) then return answer end

local longest = -1
for _, need in ipairs(needs) do
  local part = need.part
  local counter, window, amount = part[1], part[4], part[7]
  need.sum = stand(counter, window)
  local over = amount - (need.limit - need.sum)
  if over > 0 then
    local wait = math.huge
    if amount <= need.limit then
      if part[6] then wait = part[6] - now end
      if window then wait = waitOf(counter, window, over) or wait end
    end
    if wait > longest then
      longest = wait
      answer[1], answer[2], answer[3] = 'no', part[2], wait < math.huge and exact(wait) or ''
    end
  end
end
if longest >= 0 then return answer end

for _, need in ipairs(needs) do
  if need.part[7] > MOST - need.sum then return { 'passed', need.part[2] } end
end
local passed = inexact(cjson.decode(ARGV[6]))
if passed then return { 'passed', passed } end
local parts = {}
for i, need in ipairs(needs) do
  parts[i] = need.part
  take(need.part)
end
redis.call('SET', holdOf(id), cmsgpack.pack({ parts, owner, ARGV[6] }))
redis.call('ZADD', holds, exact(now + ttl), id)
return answer
`

/**
 * KEYS: version, holds, the hold, counters, groups. ARGV: now, hold, charges, tallies, keep, mark. The mark of a settle is left in place of
 * the hold for a while: who sends the same one again, having heard no answer, is told that it was done, without the counters.
 */
const SETTLE = `
local id, keep = ARGV[2], tonumber(ARGV[5])
local ends = tonumber(redis.call('ZSCORE', holds, id))
local kept = ends and now < ends and redis.call('GET', holdOf(id))
if not kept then return { not ends and redis.call('GET', holdOf(id)) == ARGV[6] and 'ok' or 'none' } end
local parts, charges, tallies = cmsgpack.unpack(kept)[1], cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
local used, others, mine = {}, {}, {}
for _, charge in ipairs(charges) do used[charge[1]] = charge[2] end
-- Everything that can be refused comes first: a settle is done whole or not at all.
for _, part in ipairs(parts) do
  local sum = stand(part[1], part[4])
  mine[part[2]] = true
  if counts(part) and (used[part[2]] or 0) > MOST - (sum - part[7]) then return { 'passed', part[2] } end
end
for _, charge in ipairs(charges) do
  if not mine[charge[1]] then
    if charge[2] > MOST - stand('all:' .. charge[1]) then return { 'passed', charge[1] } end
    others[#others + 1] = charge
  end
end
local passed = inexact(tallies)
if passed then return { 'passed', passed } end
redis.call('ZREM', holds, id)
redis.call('SET', holdOf(id), ARGV[6])
expire(holdOf(id), now + GRACE)
for _, part in ipairs(parts) do give(part, used[part[2]] or 0) end
for _, charge in ipairs(others) do change(keyOf('all:' .. charge[1]), 's', charge[2]) end
tallied(tallies, keep)
local answer = { 'ok' }
for _, part in ipairs(parts) do
  local sum, held = stand(part[1], part[4])
  local at = #answer
  answer[at + 1], answer[at + 2], answer[at + 3] = part[2], part[3] or '', part[5] and int(part[5]) or ''
  answer[at + 4], answer[at + 5] = int(sum - held), int(held)
end
return answer
`

/** KEYS: version, holds. ARGV: now, hold, ttl. */
const RENEW = `
local ends = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[2]))
if not ends or now >= ends then return { 'none' } end
redis.call('ZADD', KEYS[2], exact(math.max(ends, now + tonumber(ARGV[3]))), ARGV[2])
return { 'ok' }
`

/** KEYS: version, counter. ARGV: now, key, amount. */
const ADD = `
local sum, amount = tonumber(redis.call('HGET', KEYS[2], 's') or 0), tonumber(ARGV[3])
if amount > MOST - sum then return { 'passed', ARGV[2] } end
if amount > 0 then redis.call('HINCRBY', KEYS[2], 's', int(amount)) end
return { 'ok', int(sum + amount) }
`

export const HOLDS = { shared: SHARED, acquire: ACQUIRE, settle: SETTLE, renew: RENEW, add: ADD } as const
