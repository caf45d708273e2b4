%% SPDX-License-Identifier: GPL-2.0-only
%% Erlang: a scheduler thread on each CPU, which hand processes, messages and timers around.
-module(processes).
-export([start/0]).

start() ->
    Self = self(),
    Sums = [spawn_monitor(fun() -> Self ! {N, fib(12 + N)} end) || N <- lists:seq(1, 6)],
    io:format("~p~n", [[receive {N, F} -> F end || N <- lists:seq(1, 6)]]),
    io:format("~p~n", [[receive {'DOWN', Ref, process, Pid, Why} -> Why end || {Pid, Ref} <- Sums]]),
    Ring = lists:foldl(fun(_, Next) -> spawn(fun() -> pass(Next) end) end, Self, lists:seq(1, 50)),
    Ring ! {token, 0},
    io:format("~p~n", [receive {token, Hops} -> Hops end]),
    erlang:send_after(20, Self, tick),
    io:format("~p~n", [receive tick -> tick after 60000 -> late end]),
    halt().

pass(Next) -> receive {token, Hops} -> Next ! {token, Hops + 1} end.

fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).
