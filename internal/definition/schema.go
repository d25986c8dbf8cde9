package definition

import (
	"encoding/json"
	"fmt"
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
