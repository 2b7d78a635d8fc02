import { COUNTERS } from './redis-scripts-counters.js'
import { HOLDS } from './redis-scripts-holds.js'
import { TALLIES } from './redis-scripts-tallies.js'

/**
 * Time, names and exact numbers. ARGV[1] is the time to go by, or nothing for that of the server. Milliseconds are whole, spans are rounded
 * up by the caller, so that all sums below are exact.
 */
const HEAD = `
local MOST, FOREVER, GRACE = 9007199254740991, 8e15, 60000
local base = string.sub(KEYS[1], 1, -8)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Windows are entered rounded up and looked at rounded down: a part of a millisecond must not make one short of its length.
local entered = now + (time[2] % 1000 > 0 and 1 or 0)
local ahead, late = 0, 0
if ARGV[1] ~= '' then
  local given = tonumber(ARGV[1])
  -- A time that is given may stand still: what is kept then ends by its own date, and the server clears it away a day late.
  late = 86400000
  ahead, now, entered = now - given + late, given, given
end
local function int(n) return string.format('%.0f', n) end
local function exact(n) return string.format('%.17g', n) end
local function expire(key, at)
  at = at + ahead
  if at < FOREVER then redis.call('PEXPIREAT', key, int(at)) else redis.call('PERSIST', key) end
end
`

/** What has an end, by name and by end: the caller of a write clears away up to ten of what is over. */
const INDEX = `
local function sweep(index, ends, kind)
  local over = redis.call('ZRANGEBYSCORE', ends, '-inf', exact(now), 'LIMIT', 0, 10)
  for _, name in ipairs(over) do redis.call('UNLINK', base .. kind .. name) end
  if #over > 0 then
    redis.call('ZREM', index, unpack(over))
    redis.call('ZREM', ends, unpack(over))
  end
end
`

/** The schema this code writes and reads. */
export const VERSION = 1

/** KEYS: version, instances. Gives the version that is there, and a name no other store has. */
const HELLO = `
local time = redis.call('TIME')
local version = redis.call('GET', KEYS[1])
if not version then
  version = '${VERSION}'
  redis.call('SET', KEYS[1], version)
end
if version ~= '${VERSION}' then return { version, '' } end
return { version, string.format('%.0f_%.0f', time[1] * 1000000 + time[2], redis.call('INCR', KEYS[2])) }
`

/** KEYS: version, value. A value is its end, a blank, and its JSON. */
const GET = `${HEAD}
local kept = redis.call('GET', KEYS[2])
if not kept then return {} end
local at = string.find(kept, ' ', 1, true)
local ends = tonumber(string.sub(kept, 1, at - 1))
if ends and now >= ends then return {} end
return { string.sub(kept, at + 1) }
`

/** KEYS: version, value, values, ends. ARGV: now, name, JSON, ttl or nothing. */
const SET = `${HEAD}${INDEX}
local name, ttl = ARGV[2], tonumber(ARGV[4])
if ttl and now + ttl < FOREVER then
  redis.call('SET', KEYS[2], int(now + ttl) .. ' ' .. ARGV[3])
  expire(KEYS[2], now + ttl)
  redis.call('ZADD', KEYS[4], int(now + ttl), name)
else
  redis.call('SET', KEYS[2], ' ' .. ARGV[3])
  redis.call('ZREM', KEYS[4], name)
end
redis.call('ZADD', KEYS[3], 0, name)
sweep(KEYS[3], KEYS[4], 'v:')
return {}
`

/** KEYS: version, value, values, ends. ARGV: now, name. */
const DELETE = `
redis.call('UNLINK', KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('ZREM', KEYS[4], ARGV[2])
return {}
`

/** KEYS: version, values, ends. ARGV: now, min, max, most. Gives the last name looked at, where there may be more, and pairs. */
const SCAN = `${HEAD}
local most = tonumber(ARGV[4])
local names = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[2], ARGV[3], 'LIMIT', 0, most)
local found = { #names == most and '(' .. names[most] or '' }
for _, name in ipairs(names) do
  local kept = redis.call('GET', base .. 'v:' .. name)
  if kept then
    local at = string.find(kept, ' ', 1, true)
    local ends = tonumber(string.sub(kept, 1, at - 1))
    if not ends or now < ends then
      found[#found + 1] = name
      found[#found + 1] = string.sub(kept, at + 1)
    end
  else
    redis.call('ZREM', KEYS[2], name)
    redis.call('ZREM', KEYS[3], name)
  end
end
return found
`

const MORE = `${HEAD}${INDEX}${TALLIES.shared}`
const COUNTING = `${MORE}${COUNTERS}${HOLDS.shared}`

/** Each verb of the store, in Lua. Each gives a flat list of texts. */
export const SCRIPTS = {
  hello: HELLO,
  get: GET,
  set: SET,
  delete: DELETE,
  scan: SCAN,
  add: `${HEAD}${HOLDS.add}`,
  acquire: `${COUNTING}${HOLDS.acquire}`,
  settle: `${COUNTING}${HOLDS.settle}`,
  renew: `${HEAD}${HOLDS.renew}`,
  tally: `${MORE}${TALLIES.tally}`,
  tallies: `${HEAD}${TALLIES.range}`,
} as const
