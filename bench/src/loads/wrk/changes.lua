-- So many enter before the first of them leaves: more than there are connections, so that each has entered by then.
local TURN = 1024
local users, segments
local drawn = {}
local place = 0

function init(arguments)
  math.randomseed(tonumber(arguments[1]) + number)
  users = tonumber(arguments[2])
  segments = tonumber(arguments[3])
  wrk.headers["Content-Type"] = "application/json"
end

local function change(pair, what)
  local body = string.format('{"%s":["change-%04d"]}', what, pair.segment)
  return wrk.format("POST", string.format("/api/v1/users/user-%07d/segments", pair.user), nil, body)
end

function request()
  local turn = place % (2 * TURN)
  place = place + 1
  if turn < TURN then
    drawn[turn] = { user = math.random(users), segment = math.random(segments) }
    return change(drawn[turn], "add")
  end
  return change(drawn[turn - TURN], "remove")
end
