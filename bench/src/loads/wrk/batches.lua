-- So many different requests are made before the time begins: to write a hundred ids takes the generator longer than the
-- server to look for them.
local COUNT = 2000
local requests = {}
local place = 0

function init(arguments)
  math.randomseed(tonumber(arguments[1]) + number)
  local users = tonumber(arguments[2])
  local size = tonumber(arguments[3])
  wrk.headers["Content-Type"] = "application/json"
  for one = 1, COUNT do
    local ids = {}
    for id = 1, size do
      ids[id] = string.format('"user-%07d"', math.random(users))
    end
    local body = '{"user_ids":[' .. table.concat(ids, ",") .. "]}"
    requests[one] = wrk.format("POST", "/api/v1/users/segments/lookup", nil, body)
  end
end

function request()
  place = place % COUNT + 1
  return requests[place]
end
