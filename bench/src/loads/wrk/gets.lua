local users, whole

function init(arguments)
  math.randomseed(tonumber(arguments[1]) + number)
  users = tonumber(arguments[2])
  whole = wrk.format("GET", arguments[3])
end

function request()
  return string.format(whole, math.random(users))
end
