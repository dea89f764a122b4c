local whole

function init(arguments)
  wrk.headers["Content-Type"] = "application/json"
  whole = wrk.format("POST", arguments[2], nil, arguments[3])
end

function request()
  return whole
end
