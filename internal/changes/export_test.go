package changes

// BeatAlways has the feed call Beat after all changes. It must not run yet.
func (f *Feed) BeatAlways() { f.beat = 0 }
