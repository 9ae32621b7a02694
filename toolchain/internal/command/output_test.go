package command

import (
	"reflect"
	"testing"
)

func TestOutputShowsWholeLines(t *testing.T) {
	cases := map[string]struct {
		logging string
		// Each write begins with the stream: `o` or `e`.
		writes []string
		shown  []string
	}{
		"one line":                   {"", []string{"oa\n"}, []string{"a"}},
		"several lines in one write": {"", []string{"oa\nb\nc\n"}, []string{"a", "b", "c"}},
		"one line in several writes": {"", []string{"oa", "ob", "oc\n"}, []string{"abc"}},
		"the rest on flush":          {"", []string{"oa\nb"}, []string{"a", "b"}},
		"an empty line":              {"", []string{"oa\n\nb\n"}, []string{"a", "", "b"}},
		"nothing":                    {"", nil, nil},
		"both by default":            {"", []string{"oa\n", "eb\n"}, []string{"a", "b"}},
		"both":                       {"stdoutAndStderr", []string{"oa\n", "eb\n"}, []string{"a", "b"}},
		"stdout":                     {"stdout", []string{"oa\n", "eb\n"}, []string{"a"}},
		"stderr":                     {"stderr", []string{"oa\n", "eb\n"}, []string{"b"}},
		"none":                       {"none", []string{"oa\n", "eb\nc"}, nil},
	}
	for name, given := range cases {
		t.Run(name, func(t *testing.T) {
			var shown []string
			written := newOutput(given.logging, func(line string) { shown = append(shown, line) })
			var stdout, stderr string
			for _, write := range given.writes {
				to, text := written.stdoutWriter(), write[1:]
				if write[0] == 'e' {
					to, stderr = written.stderrWriter(), stderr+text
				} else {
					stdout += text
				}
				if count, err := to.Write([]byte(text)); count != len(text) || err != nil {
					t.Fatalf("wrote %d of %d, %v", count, len(text), err)
				}
			}
			written.flush()
			written.flush()
			if !reflect.DeepEqual(shown, given.shown) {
				t.Errorf("shown %q, expected %q", shown, given.shown)
			}
			if written.stdout.String() != stdout || written.stderr.String() != stderr {
				t.Errorf("kept %q and %q, expected %q and %q", &written.stdout, &written.stderr, stdout, stderr)
			}
			if written.both.Len() != len(stdout)+len(stderr) {
				t.Errorf("both hold %q", &written.both)
			}
		})
	}
}

func TestLoggingNames(t *testing.T) {
	for name, allowed := range map[string]bool{
		"stdout": true, "stderr": true, "stdoutAndStderr": true, "none": true, "": false, "both": false,
	} {
		if isLogging(name) != allowed {
			t.Errorf("%q: expected %v", name, allowed)
		}
	}
}
