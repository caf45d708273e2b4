// SPDX-License-Identifier: GPL-2.0-only

// Goroutines on threads that the runtime makes itself: channels, preemption by signals, the collector, a signal handler, timers.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const workers = 6

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func inParallel(work func(n int) int) int {
	var sum int64
	var all sync.WaitGroup
	for n := 0; n < workers; n++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			atomic.AddInt64(&sum, int64(work(n)))
		}(n)
	}
	all.Wait()
	return int(sum)
}

// Numbers run through a chain of goroutines, each adding one.
func chain(length, numbers int) int {
	first := make(chan int)
	in := first
	for i := 0; i < length; i++ {
		out := make(chan int)
		go func(in, out chan int) {
			for n := range in {
				out <- n + 1
			}
			close(out)
		}(in, out)
		in = out
	}
	go func() {
		for n := 0; n < numbers; n++ {
			first <- n
		}
		close(first)
	}()
	sum := 0
	for n := range in {
		sum += n
	}
	return sum
}

func litter(seed int) int {
	kept := map[int][]byte{}
	for i := 0; i < 600; i++ {
		block := make([]byte, 1024)
		block[i%1024] = byte(seed + i)
		kept[i%50] = block
	}
	sum := 0
	for _, block := range kept {
		for _, value := range block {
			sum += int(value)
		}
	}
	return sum
}

// A loop without calls: only a signal can make its goroutine yield.
func spinUntil(done *int32) int {
	for i := 1; ; i++ {
		if i&0xffff == 0 && atomic.LoadInt32(done) != 0 {
			return 1
		}
	}
}

func recovered(n int) (fault string) {
	defer func() { fault = fmt.Sprint(recover()) }()
	var nothing *[4096]int
	return fmt.Sprint(nothing[n])
}

func signals() int {
	caught := make(chan os.Signal, 16)
	signal.Notify(caught, syscall.SIGUSR1)
	for i := 0; i < 5; i++ {
		syscall.Kill(os.Getpid(), syscall.SIGUSR1)
		<-caught
	}
	return 5
}

func main() {
	fmt.Println("fib", inParallel(func(n int) int { return fib(24 + n%2) }))
	fmt.Println("chain", chain(20, 20))
	fmt.Println("litter", inParallel(litter))
	var done int32
	time.AfterFunc(50*time.Millisecond, func() { atomic.StoreInt32(&done, 1) })
	fmt.Println("spin", inParallel(func(int) int { return spinUntil(&done) }))
	fmt.Println("recovered", recovered(3))
	fmt.Println("signals", signals())
	data := make([]byte, 300000)
	fmt.Printf("sha %x\n", sha256.Sum256(data))
	locked := inParallel(func(n int) int {
		runtime.LockOSThread() // the thread ends with its goroutine
		time.Sleep(time.Millisecond)
		return 1
	})
	fmt.Println("locked", locked)
	said, err := exec.Command("sh", "-c", "echo child; exit 3").Output()
	fmt.Printf("%s%v\n", said, err)
}
