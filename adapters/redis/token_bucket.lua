-- One bucket, as domain/token_bucket.py has it, in one step. KEYS: the bucket. ARGV: seconds to close it for,
-- 0 to take a token; the burst; tokens a second; the longest wait in seconds. Answers the microseconds to wait.
local close_s, burst, per_s = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'last', 'closed')
local closed = tonumber(kept[4] or 0)

local function keep(name, value)
    redis.call('HSET', KEYS[1], name, string.format('%.6f', value))
end

local function live(seconds)
    if redis.call('TTL', KEYS[1]) < seconds + 60 then
        redis.call('EXPIRE', KEYS[1], math.ceil(seconds) + 120)
    end
end

if close_s > 0 then
    keep('closed', math.max(closed, now + close_s))
    live(close_s)
    return 0
end
if closed > now then
    return math.ceil((closed - now) * 1000000)
end

local at = tonumber(kept[2] or now)
local tokens = math.min(burst, tonumber(kept[1] or burst) + math.max(0, now - at) * per_s)
local wait = 0
if tokens >= 0.999999 then
    tokens = math.max(0, tokens - 1)
else
    local first = now + (1 - tokens) / per_s
    local last = tonumber(kept[3] or 0)
    last = math.min(math.max(first, last + 1 / per_s), math.max(first, now + tonumber(ARGV[4])))
    keep('last', last)
    wait = last - now
end
keep('tokens', tokens)
keep('at', math.max(at, now))
live(math.max(burst / per_s, wait))
return math.ceil(wait * 1000000)
