# SPDX-License-Identifier: GPL-2.0-only
# Ruby's threads take turns by a timer's signals; a queue between them, the collector, fork, a pipe, a signal handler, a subshell.
done = Queue.new
threads = 4.times.map do |n|
  Thread.new do
    sum = 0
    100_000.times { |i| sum += (i * n) % 97 }
    words = (1..2_000).map { |i| "#{n}-#{i}" }
    done << n
    [sum, words.join.size]
  end
end
p threads.map(&:value)
p 4.times.map { done.pop }.sort
GC.start

from, to = IO.pipe
child = fork do
  from.close
  to.puts (1..1000).sum
end
to.close
p from.read.to_i
p Process.wait2(child)[1].exitstatus

heard = Queue.new
trap('USR1') { heard << 'USR1' }
Process.kill('USR1', $$)
p heard.pop
p `echo subshell`
