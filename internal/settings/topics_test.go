package settings

import "testing"

// TestTopics takes all topics together: they are all settings, each once and in their order.
func TestTopics(t *testing.T) {
	t.Parallel()
	var all []string
	for _, topic := range Topics {
		if topic.first() < 0 {
			t.Fatalf("the topic %s begins with %s, which is no setting", topic.Name, topic.from)
		}
		of, err := Of(topic.Name)
		if err != nil || len(of) == 0 {
			t.Errorf("%s has %d settings: %v", topic.Name, len(of), err)
		}
		for _, s := range of {
			all = append(all, s.Env)
		}
	}
	if len(all) != len(All) {
		t.Errorf("the topics have %d settings of %d", len(all), len(All))
	}
	for i, s := range All {
		if i < len(all) && all[i] != s.Env {
			t.Fatalf("setting %d of the topics is %s, want %s", i, all[i], s.Env)
		}
	}
	for name, want := range map[string]string{
		"sign": `there is no topic "sign"; the nearest is "sign-in", and forge settings lists all`,
		"":     `there is no topic ""; allowed: all, basics`,
	} {
		if _, err := Of(name); err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}
