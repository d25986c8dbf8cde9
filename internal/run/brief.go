package run

// mostCharacters of somebody's words travel round the state machine or in a message: a reason may have been given by a person, who may give
// as many as a call of a function takes. The record keeps all of them.
const mostCharacters = 4_000

// Brief is a text as far as it fits; of one that is too long the end is left out.
func Brief(text string) string {
	if len(text) <= mostCharacters { // bytes, of which a character has one at least
		return text
	}
	if letters := []rune(text); len(letters) > mostCharacters {
		return string(letters[:mostCharacters-1]) + "…"
	}
	return text
}
