/** Sums by group and field: a hash for each group, an index of groups by name and one by end. */
const SHARED = `
local groups, groupEnds = base .. 'groups', base .. 'groups:ends'

-- A group that is over is gone, also where the server has not cleared it away yet.
local function opened(group)
  local ends = tonumber(redis.call('ZSCORE', groupEnds, group))
  if ends and now >= ends then redis.call('UNLINK', base .. 't:' .. group) end
end

-- The field whose sum would no longer be exact, or nothing. Several tallies of one field count together.
local function inexact(tallies)
  local sums = {}
  for _, tally in ipairs(tallies) do
    local group, field, amount = tally[1], tally[2], tally[3]
    opened(group)
    local id = #group .. ':' .. group .. field
    local sum = sums[id] or tonumber(redis.call('HGET', base .. 't:' .. group, field) or 0)
    if amount > MOST - sum then return field end
    sums[id] = sum + amount
  end
  return nil
end

-- What lapses is added unasked: there the sum stops at the last exact number.
local function tallied(tallies, keep)
  for _, tally in ipairs(tallies) do
    local group, field, amount = tally[1], tally[2], tally[3]
    local key = base .. 't:' .. group
    opened(group)
    local sum = tonumber(redis.call('HGET', key, field) or 0)
    redis.call('HSET', key, field, int(math.min(MOST, sum + amount)))
    expire(key, now + keep)
    redis.call('ZADD', groups, 0, group)
    redis.call('ZADD', groupEnds, exact(now + keep), group)
  end
  if #tallies > 0 then sweep(groups, groupEnds, 't:') end
end
`

/** KEYS: version, groups, ends, each group. ARGV: now, tallies, keep. */
const TALLY = `
local tallies = cjson.decode(ARGV[2])
local passed = inexact(tallies)
if passed then return { 'passed', passed } end
tallied(tallies, tonumber(ARGV[3]))
return { 'ok' }
`

/**
 * KEYS: version, groups, ends. ARGV: now, min, max, most groups, most fields. Gives the last group looked at, where there may be more, and
 * then for each group its name, how many fields, and those.
 */
const RANGE = `
local most, fields = tonumber(ARGV[4]), tonumber(ARGV[5])
local names = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[2], ARGV[3], 'LIMIT', 0, most)
local found = { #names == most and '(' .. names[most] or '' }
for _, group in ipairs(names) do
  local ends = tonumber(redis.call('ZSCORE', KEYS[3], group))
  local sums = ends and now < ends and redis.call('HGETALL', base .. 't:' .. group) or {}
  if #sums > 0 then
    found[#found + 1] = group
    found[#found + 1] = int(#sums / 2)
    for _, text in ipairs(sums) do found[#found + 1] = text end
  end
  if #found > 2 * fields then
    found[1] = '(' .. group
    break
  end
end
return found
`

export const TALLIES = { shared: SHARED, tally: TALLY, range: RANGE } as const
