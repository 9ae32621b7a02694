package command

import (
	"bytes"
	"strings"
	"sync"
)

// output collects what a command writes and shows it line by line as `logging` wants.
type output struct {
	mutex                sync.Mutex
	stdout, stderr, both bytes.Buffer
	rest                 string
	log                  func(string)
	showsOut, showsErr   bool
}

func isLogging(logging string) bool {
	switch logging {
	case "stdout", "stderr", "stdoutAndStderr", "none":
		return true
	}
	return false
}

// newOutput: an empty `logging` shows both.
func newOutput(logging string, log func(string)) *output {
	return &output{
		log:      log,
		showsOut: logging == "" || logging == "stdout" || logging == "stdoutAndStderr",
		showsErr: logging == "" || logging == "stderr" || logging == "stdoutAndStderr",
	}
}

// writer is one of the two streams.
type writer struct {
	to     *output
	buffer *bytes.Buffer
	shows  bool
}

func (o *output) stdoutWriter() writer { return writer{o, &o.stdout, o.showsOut} }
func (o *output) stderrWriter() writer { return writer{o, &o.stderr, o.showsErr} }

func (w writer) Write(content []byte) (int, error) {
	w.to.mutex.Lock()
	defer w.to.mutex.Unlock()
	w.buffer.Write(content)
	w.to.both.Write(content)
	if w.shows {
		w.to.show(string(content))
	}
	return len(content), nil
}

// show logs whole lines and keeps the rest for later.
func (o *output) show(text string) {
	lines := strings.Split(o.rest+text, "\n")
	for _, line := range lines[:len(lines)-1] {
		o.log(line)
	}
	o.rest = lines[len(lines)-1]
}

func (o *output) flush() {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.rest != "" {
		o.log(o.rest)
		o.rest = ""
	}
}
