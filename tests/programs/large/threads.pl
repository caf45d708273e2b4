# SPDX-License-Identifier: GPL-2.0-only
# Perl's threads: each begins as a copy of the whole interpreter; shared variables, queues, semaphores, signals between them.
use strict;
use warnings;
use threads;
use threads::shared;
use Thread::Queue;
use Thread::Semaphore;

my $sum : shared = 0;
my %seen : shared;

sub crunch {
    my ($n) = @_;
    my $x = $n;
    my %words;
    for my $i (1 .. 16000) {
        $x = ($x * 1103515245 + 12345) % 2147483648;
        $words{$x % 101} .= chr(97 + $x % 26) if $i % 8 == 0;
    }
    { lock($sum); $sum += $x % 1000; }
    { lock(%seen); $seen{$n} = length join '', map { $words{$_} } sort keys %words; }
    return $x;
}

print join(' ', map { $_->join } map { threads->create(\&crunch, $_) } 1 .. 4), "\n";
print "sum $sum, seen ", join(',', map { "$_=$seen{$_}" } sort keys %seen), "\n";

my ($jobs, $done) = (Thread::Queue->new, Thread::Queue->new);
my @takers = map {
    threads->create(sub {
        while (defined(my $job = $jobs->dequeue)) { $done->enqueue($job * $job); }
    })
} 1 .. 3;
$jobs->enqueue($_) for 1 .. 30;
$jobs->end;
$_->join for @takers;
my $squares = 0;
while (defined(my $square = $done->dequeue_nb)) { $squares += $square; }
print "squares $squares\n";

# Two that take turns.
my $turn : shared = 0;
my @players = map {
    my $me = $_;
    threads->create(sub {
        for (1 .. 15) {
            lock($turn);
            cond_wait($turn) until $turn % 2 == $me;
            $turn++;
            cond_broadcast($turn);
        }
    })
} 0, 1;
$_->join for @players;
print "turns $turn\n";

my $sleeper = threads->create(sub {
    my $gate = Thread::Semaphore->new(0);
    $SIG{KILL} = sub { threads->exit };
    { lock($sum); $sum = -1; cond_signal($sum); }
    select undef, undef, undef, 0.01 while 1;
});
{ lock($sum); cond_wait($sum) until $sum == -1; }
$sleeper->kill('KILL')->join;
print "killed\n", eval { die "in a thread\n" } // $@;
