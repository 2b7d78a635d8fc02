/**
 * Counters. One is a hash: 's' what is charged and held, 'h' what is held, 'n' the holds of a period that are open, 'e' its end. A window has also a
 * sorted set of the milliseconds in which something counts, and in the hash for each of them 'a' what counts and 'o' what of that is held;
 * 'b' sums up what counts in a stretch of the window as long as its root, so that a refusal reads about two roots of it, not all of it.
 *
 * A part is what a hold holds of one counter: { counter id, key, window as it was asked for, window, period, end, amount, since, release }.
 */
export const COUNTERS = `
local function keyOf(id) return base .. 'c:' .. id end
local function lineOf(id) return base .. 'w:' .. id end
local function stretchOf(window) return math.ceil(math.sqrt(math.min(window, 1e10))) end
local function change(key, field, by)
  if by == 0 then return tonumber(redis.call('HGET', key, field) or 0) end
  return redis.call('HINCRBY', key, field, int(by))
end

-- Forgets what has left the window: each entry once in its life, a hundred with each command.
local function prune(id, window)
  local key, line, stretch = keyOf(id), lineOf(id), stretchOf(window)
  repeat
    local gone = redis.call('ZRANGEBYSCORE', line, '-inf', exact(now - window), 'LIMIT', 0, 100)
    local fields, sum, held, buckets = {}, 0, 0, {}
    for _, at in ipairs(gone) do
      fields[#fields + 1] = 'a' .. at
      fields[#fields + 1] = 'o' .. at
    end
    if #gone > 0 then
      local amounts = redis.call('HMGET', key, unpack(fields))
      for i, at in ipairs(gone) do
        local amount = tonumber(amounts[2 * i - 1] or 0)
        local bucket = 'b' .. int(math.floor(at / stretch))
        sum, held = sum + amount, held + tonumber(amounts[2 * i] or 0)
        buckets[bucket] = (buckets[bucket] or 0) + amount
      end
      redis.call('HDEL', key, unpack(fields))
      redis.call('ZREM', line, unpack(gone))
      change(key, 's', -sum)
      change(key, 'h', -held)
      for bucket, amount in pairs(buckets) do
        if change(key, bucket, -amount) == 0 then redis.call('HDEL', key, bucket) end
      end
    end
  until #gone < 100
end

local function stand(id, window)
  if window then prune(id, window) end
  local got = redis.call('HMGET', keyOf(id), 's', 'h')
  return tonumber(got[1] or 0), tonumber(got[2] or 0)
end

-- The stretch of the window in which its oldest entries come to 'over', and what came before it.
local function stretchWith(key, over, first, last)
  local freed = 0
  for from = first, last, 100 do
    local fields = {}
    for at = from, math.min(last, from + 99) do fields[#fields + 1] = 'b' .. int(at) end
    for i, amount in ipairs(redis.call('HMGET', key, unpack(fields))) do
      local more = freed + tonumber(amount or 0)
      if more >= over then return from + i - 1, freed end
      freed = more
    end
  end
  return nil
end

-- Time until 'over' has left the window, or nothing where it does not hold so much.
local function waitOf(id, window, over)
  local key, line, stretch = keyOf(id), lineOf(id), stretchOf(window)
  local oldest, newest = redis.call('ZRANGE', line, 0, 0)[1], redis.call('ZRANGE', line, -1, -1)[1]
  if not oldest then return nil end
  local at, freed = stretchWith(key, over, math.floor(oldest / stretch), math.floor(newest / stretch))
  if not at then return nil end
  local skip = 0
  while true do
    local some = redis.call('ZRANGEBYSCORE', line, int(at * stretch), int((at + 1) * stretch - 1), 'LIMIT', skip, 100)
    local fields = {}
    for i, ms in ipairs(some) do fields[i] = 'a' .. ms end
    if #some == 0 then return nil end
    for i, amount in ipairs(redis.call('HMGET', key, unpack(fields))) do
      freed = freed + tonumber(amount or 0)
      if freed >= over then return some[i] + window - now end
    end
    skip = skip + 100
  end
end

-- Counts 'by' in the millisecond 'at' of a window, of which 'open' is held.
local function enter(id, window, at, by, open)
  local key, field = keyOf(id), int(at)
  change(key, 's', by)
  change(key, 'h', open)
  local held = change(key, 'o' .. field, open)
  local amount = change(key, 'a' .. field, by)
  local bucket = 'b' .. int(math.floor(at / stretchOf(window)))
  if change(key, bucket, by) == 0 then redis.call('HDEL', key, bucket) end
  if held == 0 then redis.call('HDEL', key, 'o' .. field) end
  if amount == 0 then
    redis.call('HDEL', key, 'a' .. field)
    redis.call('ZREM', lineOf(id), field)
  elseif by > 0 then
    redis.call('ZADD', lineOf(id), field, field)
  end
end

-- A window is over when its last entry has left it; a while more, should the clock be set back.
local function keepWindow(id, ends)
  for _, key in ipairs({ keyOf(id), lineOf(id) }) do
    if redis.call('PTTL', key) < ends + GRACE - now + late then expire(key, ends + GRACE) end
  end
end

local function take(part)
  local id, window, ends, amount = part[1], part[4], part[6], part[7]
  if window then
    if amount > 0 then enter(id, window, entered, amount, amount) end
    keepWindow(id, entered + window)
    return
  end
  change(keyOf(id), 's', amount)
  change(keyOf(id), 'h', amount)
  if ends then
    change(keyOf(id), 'n', 1)
    if ends > tonumber(redis.call('HGET', keyOf(id), 'e') or 0) then redis.call('HSET', keyOf(id), 'e', int(ends)) end
    -- What is held never goes by itself.
    redis.call('PERSIST', keyOf(id))
  end
end

local function counts(part)
  return not part[4] or now - part[8] < part[4]
end

-- Ends what a hold holds: 'charge' stays. What has left the window changes nothing.
local function give(part, charge)
  local id, window, ends, amount, since = part[1], part[4], part[6], part[7], part[8]
  local key = keyOf(id)
  if not counts(part) then return end
  if window then
    -- Taken off already where the clock was set back behind a prune.
    if tonumber(redis.call('HGET', key, 'o' .. int(since)) or 0) < amount then return end
    enter(id, window, since, charge - amount, -amount)
    keepWindow(id, since + window)
    return
  end
  change(key, 's', charge - amount)
  change(key, 'h', -amount)
  if ends and change(key, 'n', -1) <= 0 then
    expire(key, math.max(now, ends, tonumber(redis.call('HGET', key, 'e') or 0)) + GRACE)
  end
end
`
