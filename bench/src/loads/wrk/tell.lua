
local count = 0

function setup(thread)
  thread:set("number", count)
  count = count + 1
end

function done(summary, latency)
  local faults = summary.errors
  io.write(string.format(
    "told: requests=%d microseconds=%d bytes=%d connect=%d read=%d write=%d status=%d timeout=%d p99_microseconds=%d\n",
    summary.requests, summary.duration, summary.bytes, faults.connect, faults.read, faults.write, faults.status,
    faults.timeout, latency:percentile(99)))
end
