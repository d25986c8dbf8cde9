package definition

import (
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"
)

// Schema is the JSON Schema of a definition, for editors: made of the table of keys from which the reader reads. It is stricter
// in one thing: types of parameters are in lower case.
func Schema() []byte {
	root := mapping(properties(), required...)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "A definition of backfill"
	root["oneOf"] = alone()
	needs := shape{}
	for _, f := range fields {
		if len(f.needs) > 0 {
			needs[f.name] = f.needs
		}
	}
	root["dependencies"] = needs
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("write the schema of definitions: %v", err)) // maps, lists, texts and numbers: it cannot fail
	}
	return append(text, '\n')
}

func properties() []property {
	var all []property
	for _, f := range fields {
		all = append(all, f.property)
	}
	return all
}

// sample is the value of a key in its example. It is read when it is written, and not each time a function starts.
type sample struct{ key, example string }

func (s sample) MarshalJSON() ([]byte, error) {
	var file any
	if err := yaml.Unmarshal([]byte(s.example), &file); err != nil {
		return nil, fmt.Errorf("read the example of %s: %w", s.key, err)
	}
	return json.Marshal(below(file, s.key))
}

// below finds the value of a key, at whatever depth.
func below(value any, name string) any {
	mapping, _ := value.(map[string]any)
	if found, ok := mapping[name]; ok {
		return found
	}
	for _, one := range mapping {
		if found := below(one, name); found != nil {
			return found
		}
	}
	return nil
}
