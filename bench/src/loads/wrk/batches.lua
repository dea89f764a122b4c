local users, size

function init(arguments)
  math.randomseed(tonumber(arguments[1]) + number)
  users = tonumber(arguments[2])
  size = tonumber(arguments[3])
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  local ids = {}
  for place = 1, size do
    ids[place] = string.format('"user-%07d"', math.random(users))
  end
  return wrk.format("POST", "/api/v1/users/segments/lookup", nil, '{"user_ids":[' .. table.concat(ids, ",") .. "]}")
end
